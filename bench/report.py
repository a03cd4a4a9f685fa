#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of docs/benchmarks.md from the benchmarks' JSON.

    bench/report.py RESULTS PAGE

RESULTS holds ann-SET.json, windows.json, text.json, server-SET.json and
churn-SET.json as `./dev bench all` leaves them. In PAGE, what stands between `<!-- NAME -->` and `<!-- end -->` is
replaced; the rest is left alone.
"""

import json
import math
import pathlib
import re
import statistics
import sys

CONTESTANTS = ("engine", "engine_mapped", "hnswlib", "faiss_hnsw",
               "faiss_hnsw_sq8")
LOADS = (("unary", "single searches"), ("batch_16", "batches of 16"),
         ("batch_64", "batches of 64"))


def number(value, digits=0):
    """A table's cell; a dash for what was not measured or not reached."""
    return "-" if value is None else f"{value:,.{digits}f}"


def table(head, rows):
    """Markdown, the first column to the left."""
    lines = ["| " + " | ".join(head) + " |",
             "|---" + "|--:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def image(page, name, title):
    """A plot beside the page, if there is one."""
    path = f"images/{name}.svg"
    return f"![{title}]({path})\n\n" if (page.parent / path).exists() else ""


def ann_table(page, result):
    """One set: every contestant, and the engine against it."""
    rows = []
    for name in CONTESTANTS:
        figures = result.get(name)
        if figures is None:
            continue
        ratios = result["ratios"].get(name, {})
        rows.append([f"`{name}`", number(figures["qps_at_095"]),
                     number(figures["qps_at_099"]),
                     number(ratios.get("at_095"), 2),
                     number(ratios.get("at_099"), 2),
                     number(figures["build_s"]),
                     number(figures["build_cpu_s"]),
                     number(figures["rss_mb"])])
    data = result["dataset"]
    caption = (f"{data['rows']:,} x {data['dimension']}, "
               f"{data['queries']:,} queries")
    return image(page, f"recall-{data['name']}",
                 "Queries a second over recall") + caption + "\n\n" + table(
        ["", "QPS at 0.95", "QPS at 0.99", "engine / it, 0.95",
         "engine / it, 0.99", "build s", "build CPU s", "memory MB"], rows)


def window_table(page, result, name):
    """Every width of one set, beside the naive plans."""
    facts = next(s for s in result["sets"] if s["set"] == name)
    unfiltered = facts["hnswlib_unfiltered_qps"]
    rows = []
    for point in result["points"]:
        if point["set"] != name:
            continue
        naive = [point["prefilter_qps"], point["postfilter_qps"] or 0]
        exponent = round(-math.log2(point["fraction"]))
        short = (point["postfilter_recall"] or 1) < 0.95
        rows.append([f"2^-{exponent}", number(point["rows"]),
                     number(point["recall"], 3), number(point["qps"]),
                     number(point["prefilter_qps"]),
                     number(point["postfilter_qps"]) + ("*" if short else ""),
                     number(point["qps"] / max(naive), 1),
                     number(unfiltered and point["qps"] / unfiltered, 2),
                     point["plan"]])
    caption = (f"{facts['rows']:,} x {facts['dimension']}; the window takes "
               f"{number(facts['index_bytes_per_row'])} bytes a point and "
               f"{number(facts['index_build_cpu_s'], 1)} s of CPU to build; "
               f"HNSWlib without a window: {number(unfiltered)} QPS at 0.95")
    return image(page, f"window-{name}", "Queries a second over the window"
                 ) + caption + "\n\n" + table(
        ["window", "rows", "recall@10", "QPS", "scan of floats",
         "HNSWlib, filtered after", "x the better one",
         "x HNSWlib without a window", "plan"], rows)


def load_row(name, load, client=True):
    """One kind of load."""
    return [name, number(load["qps"]), number(load["p50_ms"], 2),
            number(load["p95_ms"], 2), number(load["p99_ms"], 2),
            number(load["server_cpu_us"], 1),
            number(load.get("client_cpu_us") if client else None, 1),
            number(load.get("recall"), 4)]


def search_table(page, result):
    """Searches through gRPC."""
    search = result["search"]
    rows = [load_row(title, search["idle"][key]) for key, title in LOADS]
    rate = number(search["writing"]["points_per_s"])
    rows += [load_row(f"{title}, while {rate} points/s are written",
                      search["writing"][key]) for key, title in LOADS]
    rows += [load_row(f"open loop, {number(load['offered_qps'])}/s offered",
                      load) for load in search["open_loop"]]
    rows.append(load_row("empty echo", search["echo"]))
    for key, title in (("engine", "engine in process"),
                       ("hnswlib", "HNSWlib in process")):
        index = search[key]
        rows.append([title, number(index["qps"]), "-", "-", "-",
                     number(index["cpu_us"], 1), "-",
                     number(index["recall"], 4)])
    plot = image(page, f"latency-{result['dataset']['name']}",
                 "Latency over offered load")
    return plot + table(["", "searches/s", "p50 ms", "p95 ms", "p99 ms",
                  "server CPU us", "client CPU us", "recall@10"], rows)


def ratio_table(result):
    """What the searches come to."""
    ratios = result["search"]["ratios"]
    rows = [[f"{title} over gRPC / HNSWlib in process",
             number(ratios[f"{key}_to_hnswlib"], 2),
             number(ratios[f"{key}_cpu_to_hnswlib"], 2)]
            for key, title in LOADS]
    rows.append(["server CPU of a single search above the engine's / echo",
                 "-", number(ratios["unary_cpu_above_engine_to_echo"], 2)])
    rows.append(["the same / echo at as many calls a second", "-", number(
        ratios["unary_cpu_above_engine_to_echo_at_rate"], 2)])
    return table(["", "of QPS", "of processor time"], rows)


def disk_table(results):
    """Ingest and restart of every set that has them."""
    rows = []
    for result in results:
        name = result["dataset"]["name"]
        ingest = result.get("ingest")
        if ingest is not None:
            speed = ingest["rows"] / ingest["server_s"]
            rows.append([f"{name}: ingest of {ingest['rows']:,} points",
                         f"{number(ingest['server_s'], 1)} s "
                         f"({number(speed)}/s)",
                         f"{number(ingest['ratio'], 2)} of bare RocksDB"])
        restart = result.get("restart")
        if restart is not None:
            rebuilt = "rebuilt" if restart["rebuilt"] else "nothing rebuilt"
            rows.append([f"{name}: kill -9 to the first correct answer",
                         f"{number(restart['first_answer_s'], 2)} s", rebuilt])
    return table(["", "time", ""], rows)


def churn_table(result):
    """Rounds that replaced every point, against loads of the same points."""
    first, rounds = result["rounds"][0], result["rounds"][1:]

    def points_more(r):
        return 100 * (r["recall"] - r["fresh_recall"])

    points = [points_more(r) for r in rounds]
    error = statistics.stdev(points) / len(points) ** 0.5
    ratios = [r["qps_ratio"] for r in rounds]

    def rest(r):
        return r["rss_mb"] - r["store_mb"]

    data = result["dataset"]
    return (f"{data['name']}, {data['rows']:,} x {data['dimension']}, "
            f"ef {result['ef']}, {len(rounds)} rounds\n\n") + table(
        ["", "load", "median round", "worst round"],
        [["recall@10, points more than of the same points loaded once",
          number(points_more(first), 2),
          f"{number(statistics.mean(points), 2)} ± {number(error, 2)} (mean)",
          number(min(points), 2)],
         ["QPS / that of the same points loaded once",
          number(first["qps_ratio"], 2), number(statistics.median(ratios), 2),
          number(min(ratios), 2)],
         ["memory without the store's, MB", number(rest(first)),
          number(statistics.median(map(rest, rounds))),
          number(max(map(rest, rounds)))],
         ["memory of the store, MB", number(first["store_mb"]),
          number(statistics.median(r["store_mb"] for r in rounds)),
          number(max(r["store_mb"] for r in rounds))],
         ["segments", number(first["segments"]),
          number(statistics.median(r["segments"] for r in rounds)),
          number(max(r["segments"] for r in rounds))]])


TEXT_ROWS = (("or_top10", "any of 2 to 4 words, best 10, queries a second"),
             ("and_top10", "all of 2 to 4 words, best 10, queries a second"),
             ("phrase_top10", "phrase of 2 to 4 words, best 10, queries a second"),
             ("index", "indexed, tokens a second"))


def text_table(page, facts):
    """Text search of one set, beside the others."""
    rows = [[label] + [number(facts[key].get(engine)) for engine in
                       ("sextant", "fts5", "xapian")] +
            [number(facts["ratios"][key], 2)] for key, label in TEXT_ROWS]
    rows.append(["index, bytes a token"] +
                [number(facts["bytes_per_token"].get(engine), 2)
                 for engine in ("sextant", "fts5", "xapian")] + ["-"])
    return (f"{facts['texts']:,} texts, {facts['tokens']:,} tokens\n\n" +
            image(page, f"text-{facts['set']}", f"Text search: {facts['set']}")
            + table(["", "`sextant`", "`fts5`", "`xapian`",
                     "ours / better other"], rows))


def machine_line(result):
    """What the figures were measured on."""
    machine = result["machine"]
    return (f"{machine['processor']}, {machine['processors']} processors, "
            f"kernels `{machine.get('engine_kernels', '?')}`, "
            f"gcc {machine['compiler']}.")


def sections(folder, page):
    """Name of a section -> its text."""
    read = {path.stem: json.loads(path.read_text())
            for path in sorted(folder.glob("*.json"))}
    texts = {}
    servers = []
    for name, result in read.items():
        if name.startswith("ann-"):
            texts[name] = ann_table(page, result)
            texts.setdefault("machine", machine_line(result))
        elif name.startswith("windows"):
            for facts in result["sets"]:
                texts[f"window-{facts['set']}"] = window_table(
                    page, result, facts["set"])
        elif name.startswith("text"):
            for facts in result["sets"]:
                texts[f"text-{facts['set']}"] = text_table(page, facts)
        elif name.startswith("churn-"):
            texts["churn"] = churn_table(result)
        elif name.startswith("server-"):
            servers.append(result)
            if "search" in result:
                texts["search"] = search_table(page, result)
                texts["ratios"] = ratio_table(result)
    if servers:
        texts["disk"] = disk_table(servers)
    return texts


def main():
    """Replaces the sections for which there are results."""
    folder, page = map(pathlib.Path, sys.argv[1:3])
    text = page.read_text()
    for name, body in sections(folder, page).items():
        pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)",
                             re.DOTALL)
        text, count = pattern.subn(lambda m, b=body: m[1] + b + "\n" + m[2],
                                   text)
        if count == 0:
            print(f"{page} has no section '{name}'", file=sys.stderr)
    page.write_text(text)


if __name__ == "__main__":
    main()
