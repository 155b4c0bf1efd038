"""How the page of expiries looks, by day and by night, and on paper."""

STYLE = """\
:root {
  color-scheme: light dark;
  --back: #fff; --fore: #1b1f24; --faint: #57606a; --line: #d0d7de; --head: #f6f8fa;
  --ended: #a40e26; --week: #b3400f; --month: #7d5600; --season: #0b5cad; --quiet: #57606a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #10141a; --fore: #e6edf3; --faint: #9aa4ae; --line: #343b44; --head: #1a2029;
    --ended: #ff8a8a; --week: #ffa264; --month: #e3b341; --season: #79b8ff; --quiet: #9aa4ae;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 75rem; font: 1rem/1.5 system-ui, sans-serif;
  background: var(--back); color: var(--fore); }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
header p { margin: 0; color: var(--faint); }
a { color: inherit; }
:focus-visible { outline: 3px solid var(--season); outline-offset: 2px; }
:target > * { background: var(--head); }
.ended { --mark: var(--ended); } .week { --mark: var(--week); } .month { --mark: var(--month); }
.season { --mark: var(--season); } .quiet { --mark: var(--quiet); }
.counts { display: flex; flex-wrap: wrap; gap: .75rem; list-style: none; margin: 1rem 0 0; padding: 0; }
.counts li { padding: .4rem .9rem; border: 1px solid var(--line); border-left: .4rem solid var(--mark);
  border-radius: .3rem; }
.counts strong { font-size: 1.3rem; color: var(--mark); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
.wide table { width: 100%; font-size: .95rem; }
.wide th, .wide td { padding: .4rem .55rem; text-align: left; border-bottom: 1px solid var(--line); }
.wide thead th { background: var(--head); white-space: nowrap; }
.wide tbody th { font-weight: 600; min-width: 8.5rem; overflow-wrap: anywhere; }
.wide td:last-child { min-width: 8.5rem; overflow-wrap: anywhere; }
.wide time, .mark { white-space: nowrap; }
.number { font-variant-numeric: tabular-nums; }
.mark { color: var(--mark); font-weight: 600; }
.mark::before { content: "\\25CF\\00A0"; }
.sheets { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1.5rem; }
.sheet { width: 100%; table-layout: fixed; align-self: start; }
.sheet caption { text-align: left; font-weight: 600; padding-bottom: .25rem; }
.sheet th { color: var(--faint); font-weight: 400; }
.sheet th, .sheet td { text-align: center; padding: .2rem 0; font-variant-numeric: tabular-nums; }
.sheet td[aria-current] { outline: 1px solid var(--faint); border-radius: .3rem; }
.sheet a { display: block; border-radius: .3rem; background: var(--mark); color: var(--back); font-weight: 700;
  text-decoration: none; position: relative; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media print { body { max-width: none; } .wide { overflow: visible; } }
"""
