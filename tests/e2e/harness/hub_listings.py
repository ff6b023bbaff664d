"""What the Hub's API says of a repository: information, trees in pages, paths, references, commits."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, quote


def is_large(content):
    return content.size > 64 * 1024


def git_oid(content):
    return hashlib.sha1(b"blob %d\0" % content.size + content.bytes()).hexdigest()


def _json(answer, value, **headers):
    answer.become(200, {"Content-Type": "application/json; charset=utf-8", "ETag": 'W/"moving"', **headers},
                  json.dumps(value).encode())


def _wanted(query, name):
    return parse_qs(query).get(name, [""])[0].lower() in ("true", "1")


def info(repo, commit, path, request, answer):
    siblings = []
    for name, content in repo.snapshots[commit].items():
        entry = _entry(repo, name, content)
        sibling = {"rfilename": name}
        if _wanted(request.query, "blobs"):
            sibling |= {"size": entry["size"], "blobId": entry["oid"]} | ({"lfs": entry["lfs"]} if "lfs" in entry else {})
        siblings.append(sibling)
    said = {"_id": "6" * 24, "id": repo.name, "modelId": repo.name, "sha": commit, "private": bool(repo.token) and not repo.gated,
            "gated": "manual" if repo.gated else False, "disabled": False, "tags": [], "downloads": 7, "likes": 1,
            "lastModified": "2026-11-01T12:00:00.000Z", "createdAt": "2026-01-01T12:00:00.000Z", "siblings": siblings}
    _json(answer, {name: value for name, value in said.items() if name not in repo.leaves_out})


def refs(repo, request, answer):
    value = {"branches": [], "tags": [], "converts": [], "pullRequests": []}
    for name, commit in repo.refs.items():
        kind, ref = "branches", f"refs/heads/{name}"
        if name.startswith("refs/pr/"):
            kind, ref = "pullRequests", name
        elif name[0] in "v0123456789":
            kind, ref = "tags", f"refs/tags/{name}"
        value[kind].append({"name": name, "ref": ref, "targetCommit": commit})
    if not _wanted(request.query, "include_prs"):
        value.pop("pullRequests")
    _json(answer, value)


def auth_check(repo, request, answer):
    _json(answer, {})


def commits(repo, commit, path, request, answer):
    _json(answer, [{"id": commit, "title": "weights", "message": "", "authors": [], "date": "2026-11-01T12:00:00.000Z"}],
          **{"X-Total-Count": "1"})


def tree(repo, commit, path, request, answer):
    files = repo.snapshots[commit]
    inside = f"{path}/" if path else ""
    recursive = _wanted(request.query, "recursive")
    entries = {}
    for name, content in sorted(files.items()):
        if not name.startswith(inside):
            continue
        parts = name.removeprefix(inside).split("/")
        for depth in range(1, len(parts)):
            folder = inside + "/".join(parts[:depth])
            if recursive or depth == 1:
                entries.setdefault(folder, {"type": "directory", "oid": "d" * 40, "size": 0, "path": folder})
        if recursive or len(parts) == 1:
            entries[name] = _entry(repo, name, content, _wanted(request.query, "expand"))
    if path and not entries:
        answer.become(404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": f"{path} does not exist on {commit}",
                            "X-Repo-Commit": commit}, b"{}")
        return
    query = parse_qs(request.query)
    begin = int(base64.b64decode(query["cursor"][0]).decode().partition(":")[2]) if "cursor" in query else 0
    size = min(int(query.get("limit", [repo.hub.page])[0]), repo.hub.page)
    more = {}
    if begin + size < len(entries):
        cursor = quote(base64.b64encode(f"file:{begin + size}".encode()).decode(), safe="")
        kept = [part for part in request.query.split("&") if part and not part.startswith("cursor=")]
        target = f"{repo.hub.calls_itself}{request.path}?{'&'.join([*kept, f'cursor={cursor}'])}"
        more["Link"] = f'<{target}>; rel="next"'
    _json(answer, list(entries.values())[begin : begin + size], **more)


def paths_info(repo, commit, path, request, answer):
    if "json" in (request.header("Content-Type") or ""):
        paths = json.loads(request.body)["paths"]
    else:
        paths = parse_qs(request.body.decode()).get("paths", [])
    files = repo.snapshots[commit]
    found = [_entry(repo, name, files[name]) for name in paths if name in files]
    found += [{"type": "directory", "oid": "d" * 40, "size": 0, "path": name} for name in paths
              if name not in files and any(each.startswith(f"{name}/") for each in files)]
    _json(answer, found)


def _entry(repo, path, content, expand=False):
    entry = {"type": "file", "oid": git_oid(content), "size": content.size, "path": path}
    if is_large(content):
        entry["lfs"] = {"oid": content.sha256(), "size": content.size, "pointerSize": 132}
        if repo.storage == "xet":
            entry["xetHash"] = repo.xet_hash(path, content)
    if expand:
        entry["lastCommit"] = {"id": repo.commit, "title": "weights", "date": "2026-11-01T12:00:00.000Z"}
        entry["securityFileStatus"] = {"status": "safe"}
    return entry
