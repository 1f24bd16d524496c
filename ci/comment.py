"""Post a comment on a pull request of GitHub or a merge request of GitLab, or write the one that is there anew.

    python3 ci/comment.py <comment.md

The first line of the comment is a hidden marker, by which the one that is there is found; one with the marker that is
by anyone but the token's own account is left alone. Where to: the variables that GitHub Actions and GitLab CI set, and,
on GitHub, PULL_REQUEST, its number. The token: GITHUB_TOKEN, or on GitLab TEXTCLF_TOKEN, without which nothing is
posted. Exit code 0, also where the token may not write; 2 if it went wrong.
It needs nothing but Python, so that the job that holds the token installs nothing.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

PAGE = 100  # comments asked for at a time, the most that either gives
FORBIDDEN = 403
TIMEOUT = 30  # seconds
# The account of the workflow's own token, which GitHub does not let ask who it is. Nobody's login can have brackets.
WORKFLOW = {"login": "github-actions[bot]", "type": "Bot"}


class CommentError(Exception):
    """Why there is no comment, in one line."""


@dataclass(frozen=True)
class Host:
    """Where the comments of a request are, and how one of them is changed."""

    comments: str  # the address of all
    one: str  # the address below which each has its own
    change: str  # the method that writes one anew
    author: str  # the key of a comment's author
    user: str  # the address that says whose the token is
    nameless: Mapping[str, str] | None  # whose it is where that is refused, None if that can't be said
    headers: Mapping[str, str]


def host(environment: Mapping[str, str]) -> Host | None:
    """The place of the request that this job is of; None where there is no token."""
    try:
        if environment.get("GITLAB_CI"):
            if not environment.get("TEXTCLF_TOKEN"):
                return None
            api = environment["CI_API_V4_URL"]
            project = quote(environment["CI_MERGE_REQUEST_PROJECT_ID"], safe="")
            request = quote(environment["CI_MERGE_REQUEST_IID"], safe="")
            notes = f"{api}/projects/{project}/merge_requests/{request}/notes"
            token = {"PRIVATE-TOKEN": environment["TEXTCLF_TOKEN"]}
            return Host(notes, notes, "PUT", "author", f"{api}/user", None, token)
        if not environment.get("GITHUB_TOKEN"):
            return None
        api = environment["GITHUB_API_URL"]
        issues = f"{api}/repos/{quote(environment['GITHUB_REPOSITORY'])}/issues"
        return Host(
            f"{issues}/{quote(environment['PULL_REQUEST'], safe='')}/comments",
            f"{issues}/comments",
            "PATCH",
            "user",
            f"{api}/user",
            WORKFLOW,
            {"Authorization": f"Bearer {environment['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"},
        )
    except KeyError as error:
        raise CommentError(f"the variable {error.args[0]} must be set; got none") from None


def call(place: Host, method: str, address: str, content: Mapping[str, str] | None = None) -> Any:
    """What the API answers; `CommentError` if it can't be reached or answers no JSON, `HTTPError` if it refuses."""
    if not address.startswith(("http://", "https://")):
        raise CommentError(f"the address of the API must begin with https://; got {address}")
    data = None if content is None else json.dumps(content).encode()
    headers = {**place.headers, "Content-Type": "application/json", "User-Agent": "textclf"}
    request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 (checked above)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError:
        raise
    except (OSError, ValueError) as error:
        raise CommentError(f"{method} {address}: {error}") from None


def marked(place: Host, marker: str) -> Iterator[dict[str, Any]]:
    """The comments that begin with the marker, whoever wrote them; one that quotes it does not."""
    page = 1
    while True:
        comments = call(place, "GET", f"{place.comments}?per_page={PAGE}&page={page}")
        yield from (comment for comment in comments if str(comment["body"]).startswith(marker))
        if len(comments) < PAGE:
            return
        page += 1


def account(place: Host) -> Mapping[str, Any] | None:
    """What tells the token's own account from others; None if that can't be known."""
    try:
        return {"id": call(place, "GET", place.user)["id"]}
    except urllib.error.HTTPError as error:
        if error.code != FORBIDDEN:
            raise
        return place.nameless


def publish(place: Host, text: str) -> str:
    """What was done with the comment: written anew where one of ours is there, else posted."""
    marker, _, rest = text.partition("\n")
    if not (marker.startswith("<!--") and marker.endswith("-->") and rest):
        raise CommentError(f"the comment must begin with a line that is a marker, <!-- ... -->; got {marker[:60]!r}")
    there = list(marked(place, marker))
    us = account(place) if there else None
    for comment in there:
        author = comment[place.author] or {}  # null where the account is gone
        if us and all(author.get(key) == value for key, value in us.items()):
            call(place, place.change, f"{place.one}/{comment['id']}", {"body": text})
            return f"comment {comment['id']} written anew"
    call(place, "POST", place.comments, {"body": text})
    if there and not us:
        return "comment posted; whose the token is can't be asked, so that those with the marker stay as they are"
    return "comment posted"


def main(text: str, environment: Mapping[str, str]) -> int:
    """The exit code, after a line that says what was done."""
    try:
        place = host(environment)
        if place is None:
            print("no token, no comment: the report is among the artifacts and in the job's summary")
            return 0
        print(publish(place, text))
    except urllib.error.HTTPError as error:
        if error.code == FORBIDDEN:
            print("the token may not comment: the report is among the artifacts and in the job's summary")
            return 0
        print(f"error: comment: {error.url}: {error.code} {error.reason}", file=sys.stderr)
        return 2
    except CommentError as error:
        print(f"error: comment: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer.read().decode("utf-8"), os.environ))
