"""Labels by people: the texts to label, the page and the terminal in which they are labelled.

Read on in this order: `rows` (the file to label), `server` and `page.html` (the page), `command`
(with the terminal).
"""
