"""Post the report as a comment on a GitHub pull request or a GitLab merge request, or update the one already there.

    python3 -m textclf.review.post <comment.md

The first line of the comment is a hidden marker that identifies it. A comment with the marker is updated only if the
token's own account wrote it; anybody else's stays as it is. The address comes from the variables that GitHub Actions
and GitLab CI set (on GitHub also PULL_REQUEST, the number), the token from GITHUB_TOKEN or, on GitLab, TEXTCLF_TOKEN.
Without a token nothing is posted. Exit code 0, also if the token may not write; 2 on an error.
Only Python's standard library is used, so that the job that holds the token installs and runs nothing else.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

PAGE = 100  # comments per request, the maximum of both hosts
FORBIDDEN = 403
TIMEOUT = 30  # seconds
# The account of a GitHub workflow's token, which may not ask for its own name. No user's login can contain brackets.
WORKFLOW = {"login": "github-actions[bot]", "type": "Bot"}


class CommentError(Exception):
    """The reason why there is no comment, in one line."""


@dataclass(frozen=True)
class Host:
    """The part of a host's API that handles the comments of one request."""

    comments: str  # address of all comments
    comment: str  # address of one comment, without its id
    update: str  # HTTP method that replaces a comment
    author: str  # key of a comment's author
    user: str  # address of the token's account
    fallback: Mapping[str, str] | None  # the token's account if the host does not tell; None if it is unknown
    headers: Mapping[str, str]


def find_host(environment: Mapping[str, str]) -> Host | None:
    """Return the host that this CI job runs on; None if there is no token."""
    gitlab = bool(environment.get("GITLAB_CI"))
    token = environment.get("TEXTCLF_TOKEN" if gitlab else "GITHUB_TOKEN")
    if not token:
        return None
    try:
        if gitlab:
            api = environment["CI_API_V4_URL"]
            project = quote(environment["CI_MERGE_REQUEST_PROJECT_ID"], safe="")
            request = quote(environment["CI_MERGE_REQUEST_IID"], safe="")
            notes = f"{api}/projects/{project}/merge_requests/{request}/notes"
            return Host(notes, notes, "PUT", "author", f"{api}/user", None, {"PRIVATE-TOKEN": token})
        api = environment["GITHUB_API_URL"]
        issues = f"{api}/repos/{quote(environment['GITHUB_REPOSITORY'])}/issues"
        comments = f"{issues}/{quote(environment['PULL_REQUEST'], safe='')}/comments"
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        return Host(comments, f"{issues}/comments", "PATCH", "user", f"{api}/user", WORKFLOW, headers)
    except KeyError as error:
        raise CommentError(f"the variable {error.args[0]} must be set; got none") from None


def call(host: Host, method: str, address: str, content: Mapping[str, str] | None = None) -> Any:
    """Return the API's answer; raise `HTTPError` if it refuses, `CommentError` if there is no answer in JSON."""
    if not address.startswith(("http://", "https://")):
        raise CommentError(f"the address of the API must begin with https://; got {address}")
    data = None if content is None else json.dumps(content).encode()
    headers = {**host.headers, "Content-Type": "application/json", "User-Agent": "textclf"}
    request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 (checked above)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError:
        raise
    except (OSError, ValueError) as error:
        raise CommentError(f"{method} {address}: {error}") from None


def marked_comments(host: Host, marker: str) -> list[dict[str, Any]]:
    """Return the comments that begin with the marker, by any author."""
    comments: list[dict[str, Any]] = []
    page = 1
    while True:
        batch = call(host, "GET", f"{host.comments}?per_page={PAGE}&page={page}")
        comments += [comment for comment in batch if str(comment["body"]).startswith(marker)]
        if len(batch) < PAGE:
            return comments
        page += 1


def own_account(host: Host) -> Mapping[str, Any] | None:
    """Return keys and values that identify the token's own account; None if it is unknown."""
    try:
        return {"id": call(host, "GET", host.user)["id"]}
    except urllib.error.HTTPError as error:
        if error.code != FORBIDDEN:
            raise
        return host.fallback


def publish(host: Host, text: str) -> str:
    """Update our comment, or post a new one, and return what was done."""
    marker, _, rest = text.partition("\n")
    if not (marker.startswith("<!--") and marker.endswith("-->") and rest):
        raise CommentError(f"the comment must begin with a marker, a line <!-- ... -->; got {marker[:60]!r}")
    comments = marked_comments(host, marker)
    account = own_account(host) if comments else None
    for comment in comments:
        author = comment[host.author] or {}  # null if the account was deleted
        if account and all(author.get(key) == value for key, value in account.items()):
            call(host, host.update, f"{host.comment}/{comment['id']}", {"body": text})
            return f"comment {comment['id']} updated"
    call(host, "POST", host.comments, {"body": text})
    if comments and not account:
        return "comment posted; older ones were not updated, because the token may not ask for its own account"
    return "comment posted"


def main(text: str, environment: Mapping[str, str]) -> int:
    """Publish the comment, print what was done, and return the exit code."""
    elsewhere = "the report is among the artifacts and in the job's summary"
    try:
        host = find_host(environment)
        print(publish(host, text) if host else f"no token, so no comment: {elsewhere}")
    except urllib.error.HTTPError as error:
        if error.code == FORBIDDEN:
            print(f"the token may not comment: {elsewhere}")
            return 0
        print(f"error: comment: {error.url}: {error.code} {error.reason}", file=sys.stderr)
        return 2
    except CommentError as error:
        print(f"error: comment: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer.read().decode("utf-8"), os.environ))
