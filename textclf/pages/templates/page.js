// Shows the title of a mark in a chart at once: of the mark nearest to the pointer, or of those that arrow keys go
// through. Without script the browser shows the titles, after a second and to a pointer alone.
const FAR = 30; // pixels from a mark
const tip = document.body.appendChild(document.createElement("div"));
tip.id = "tip";
tip.setAttribute("role", "status");
let shown;

for (const title of document.querySelectorAll(".plot title")) {
  const mark = title.parentElement;
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", title.textContent.replaceAll("\n", "; ")); // a pause between two lines
  mark.closest(".plot").tabIndex = 0;
  title.remove(); // or the browser would show it as well
}

const marksOf = (plot) => [...(plot?.querySelectorAll("[role=img]") ?? [])];

function show(mark) {
  shown?.classList.remove("shown");
  shown = mark;
  tip.textContent = mark?.getAttribute("aria-label").replaceAll("; ", "\n") ?? "";
  if (!mark) return;
  mark.classList.add("shown");
  const box = mark.getBoundingClientRect();
  const left = Math.min((box.left + box.right - tip.offsetWidth) / 2, document.body.clientWidth - tip.offsetWidth);
  const above = box.top - tip.offsetHeight - 8;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${scrollY + (above < 4 ? box.bottom + 8 : above)}px`;
}

function point({ target, clientX: x, clientY: y }) {
  let [nearest, least] = [undefined, FAR];
  for (const mark of marksOf(target.closest?.(".plot"))) {
    const box = mark.getBoundingClientRect();
    const away = Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));
    if (away < least) [nearest, least] = [mark, away];
  }
  if (nearest !== shown) show(nearest);
}

addEventListener("pointermove", point);
addEventListener("click", point); // a tap does not move
addEventListener("focusin", ({ target }) => show(target.matches(".plot:focus-visible") ? marksOf(target)[0] : undefined));
addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") show();
  if (!step || !event.target.matches(".plot")) return;
  event.preventDefault(); // or the page, or a wide chart, would be scrolled
  const marks = marksOf(event.target);
  const mark = marks.at((marks.indexOf(shown) + step) % marks.length);
  mark.scrollIntoView({ block: "nearest", inline: "nearest" });
  show(mark);
});
