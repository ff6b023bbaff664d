// The suite http-cache-tests against a forward proxy, in one node. Arguments: where the package is, the proxy's URL, and test IDs
// (none: all). Starts the suite's own origin on a free port, runs its own client through the proxy and prints one JSON object:
// {"tests": {id: {"kind", "suite", "browser_only", "depends_on", "result"}}}.
import { createRequire } from "node:module";
import http from "node:http";
import { pathToFileURL } from "node:url";

const [place, proxy, ...wanted] = process.argv.slice(2);
const own = createRequire(`${place}/`);
const fetch = own("node-fetch");
const { HttpProxyAgent } = own("http-proxy-agent");
const suite = (file) => import(pathToFileURL(`${place}/node_modules/http-cache-tests/${file}`));

console.log = console.error; // what the suite says on its way; the answer is written at the end

// The suite's server.mjs takes its port from npm and writes a file; its handlers are what matters.
const handlers = {};
for (const name of ["config", "test", "state"]) handlers[name] = (await suite(`server/handle-${name}.mjs`)).default;
const origin = http.createServer((request, response) => {
    const [, kind, ...segments] = new URL(request.url, "http://origin").pathname.split("/");
    if (handlers[kind]) return handlers[kind](segments, request, response);
    response.writeHead(404).end();
});
await new Promise((ready) => origin.listen(0, "127.0.0.1", ready));

const agent = new HttpProxyAgent(proxy, { keepAlive: true });
function throughProxy(url, init) {
    const options = { ...init, agent, headers: init?.headers ?? [] };
    // What a browser's cache mode `no-cache` sends; node-fetch knows no modes.
    if (init?.cache === "no-cache")
        options.headers = [...options.headers.filter(([name]) => name !== "Cache-Control"), ["Cache-Control", "max-age=0"]];
    return fetch(url, options);
}

const tests = [...(await suite("tests/index.mjs")).default];
tests.push({ ...(await suite("tests/surrogate-control.mjs")).default, isSurrogate: true });
const known = {};
for (const set of tests) {
    set.tests = set.tests.filter((test) => wanted.length === 0 || wanted.includes(test.id));
    for (const test of set.tests) {
        known[test.id] = {
            kind: test.kind ?? "required", suite: set.id, browser_only: Boolean(test.browser_only), depends_on: test.depends_on ?? [],
        };
        // The runner leaves out what it takes to be for browsers; we want to know all the same.
        delete test.browser_only;
    }
}
const runner = await suite("client/runner.mjs");
await runner.runTests(tests, throughProxy, false, `http://127.0.0.1:${origin.address().port}`);
for (const [id, result] of Object.entries(runner.getResults())) known[id].result = result === true ? true : result.join(": ");
process.stdout.write(JSON.stringify({ tests: known }), () => process.exit(0));
