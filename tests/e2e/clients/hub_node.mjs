// Calls of @huggingface/hub, in one node. Arguments: where the package is, the mirror's URL. Prints one JSON object.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const [place, hubUrl] = process.argv.slice(2);
const hub = createRequire(`${place}/`)("@huggingface/hub");
const repo = { type: "model", name: "org/model" };

async function digest(blob) {
    return blob && createHash("sha256").update(Buffer.from(await blob.arrayBuffer())).digest("hex");
}

async function outcome(call) {
    try {
        return await call();
    } catch (error) {
        console.error(error);
        return `${error.constructor.name} ${error.statusCode ?? error.message}`;
    }
}

async function list(repo) {
    const found = [];
    for await (const entry of hub.listFiles({ repo, hubUrl, recursive: true })) found.push(entry.path);
    return found.length > 100 ? found.length : found.sort();
}

const calls = {
    small: async () => digest(await hub.downloadFile({ repo, path: "config.json", hubUrl })),
    large: async () => digest(await hub.downloadFile({ repo, path: "model.bin", hubUrl })),
    part: async () => digest((await hub.downloadFile({ repo, path: "model.bin", hubUrl })).slice(1000000, 1001000)),
    "large, xet: false": async () => digest(await hub.downloadFile({ repo, path: "model.bin", hubUrl, xet: false })),
    "pull request": async () => digest(await hub.downloadFile({ repo, path: "config.json", hubUrl, revision: "refs/pr/1" })),
    missing: async () => hub.downloadFile({ repo, path: "missing.json", hubUrl }),
    "exists (by /raw/)": async () => hub.fileExists({ repo, path: "config.json", hubUrl }),
    about: async () => {
        const told = await hub.fileDownloadInfo({ repo, path: "model.bin", hubUrl });
        return [told.size, told.etag, told.xet ?? null];
    },
    files: async () => list(repo),
    pages: async () => list({ type: "model", name: "org/many" }),
    paths: async () => (await hub.pathsInfo({ repo, paths: ["config.json", "model.bin"], hubUrl })).map((each) => each.size).sort(),
    info: async () => (await hub.modelInfo({ name: "org/model", hubUrl, additionalFields: ["sha"] })).sha,
    "missing repository": async () => digest(await hub.downloadFile({ repo: "org/nobody", path: "config.json", hubUrl })),
};

const told = {};
for (const name of Object.keys(calls)) told[name] = await outcome(calls[name]);
console.log(JSON.stringify(told));
