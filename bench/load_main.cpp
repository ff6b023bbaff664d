// Prints one JSON object.
#include "bench/load.h"

#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

int main(int argc, char** argv) {
    hawker::bench::Options options;
    CLI::App app("Requests to one server, bodies dropped in the kernel; prints one JSON object.");
    app.add_option("--port", options.port)->required();
    app.add_option("--host", options.host, "the Host field")->required();
    app.add_option("--target", options.target, "{i}: an object's number; {n}: a fresh number");
    app.add_option("--tunnel", options.tunnel, "CONNECT to this host:port first");
    app.add_option("--objects", options.objects);
    app.add_option("--connections", options.connections);
    app.add_option("--seconds", options.seconds);
    app.add_option("--requests", options.requests, "on each connection, instead of --seconds");
    app.add_option("--within", options.within, "seconds over which the connections begin");
    app.add_option("--range", options.range, "bytes");
    app.add_option("--size", options.size, "bytes of the object that the ranges are of");
    app.add_option("--rate", options.rate, "bytes a second of all connections together");
    app.add_flag("--in-order", options.in_order, "ranges one after the other");
    app.add_flag("--fresh", options.fresh, "a connection for each request");
    app.add_flag("--tls", options.tls, "HTTPS, behind a tunnel if there is one, unverified");
    app.add_option("--seed", options.seed);
    CLI11_PARSE(app, argc, argv);
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    try {
        hawker::bench::Load load(options);
        load.run();
        load.print();
    } catch (const std::exception& error) {
        fmt::print(stderr, "load: {}\n", error.what());
        return 1;
    }
    return 0;
}
