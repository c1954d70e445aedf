#pragma once
#include "report/markup.h"

namespace headrace::report {

/// Colours are told apart by colour-blind readers too (blue, orange-red, amber, grey) and never
/// carry a meaning alone: a sign or a word stands beside them.
inline constexpr Css kStyle(R"(
:root{color-scheme:light dark;--paper:#fff;--panel:#f5f7f9;--ink:#15191e;--soft:#59626d;
--line:#dde2e7;--grid:#e8ecf0;--blue:#0a67b5;--blue-2:#9cc6ea;--red:#c2410c;--amber:#9a6200;
--red-bg:#fdeee6;--amber-bg:#fdf4dc;--blue-bg:#e8f2fb;--grey:#8a939d;--sign:#fff}
@media(prefers-color-scheme:dark){:root{--paper:#12161b;--panel:#1a2027;--ink:#e8ebef;
--soft:#a0a9b4;--line:#323a44;--grid:#262d35;--blue:#62b0f4;--blue-2:#2c5c86;--red:#ff8f5e;
--amber:#ecb44c;--red-bg:#38201a;--amber-bg:#352a12;--blue-bg:#162c40;--grey:#7d8791;--sign:#12161b}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,
"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums}
main,footer{max-width:1080px;margin:0 auto;padding:0 28px}
main{padding-top:40px}
.eyebrow{margin:0;color:var(--soft);font-size:14px}
h1{font-size:34px;line-height:1.18;letter-spacing:-.018em;font-weight:680;margin:10px 0 12px;
max-width:30em}
.lead{font-size:18px;color:var(--soft);margin:0 0 26px;max-width:46em}
h2{font-size:23px;letter-spacing:-.01em;line-height:1.25;margin:58px 0 6px;padding-top:22px;
border-top:1px solid var(--line)}
h3{font-size:17px;margin:30px 0 6px;line-height:1.3}
p{margin:6px 0;max-width:46em}
.under{color:var(--soft);margin:0 0 16px}
a{color:var(--blue);text-decoration-thickness:1px;text-underline-offset:2px}
nav{margin:24px 0 0;font-size:14px;display:flex;flex-wrap:wrap;gap:4px 18px}
.answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(270px,1fr));gap:16px}
.answer{background:var(--panel);border-radius:10px;padding:16px 18px 14px;
border-top:4px solid var(--blue)}
.answer.is-failed{border-top-color:var(--red)}.answer.is-warn{border-top-color:var(--amber)}
.answer.is-quiet{border-top-color:var(--grey)}
.answer h2{all:unset;display:block;font-size:14px;color:var(--soft)}
.answer .big{font-size:20px;line-height:1.25;font-weight:650;margin:3px 0 6px;letter-spacing:-.01em}
.answer p,.answer li{font-size:15px;line-height:1.45}
.answer ul{margin:6px 0 0;padding-left:18px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:0 24px;margin:18px 0 6px}
.tile{padding:10px 0;border-top:1px solid var(--line)}
.tile .n{font-size:25px;font-weight:640;letter-spacing:-.02em;line-height:1.2}
.tile .u{display:block;color:var(--soft);font-size:14px;line-height:1.35}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:14px 40px}
figure{margin:14px 0;min-width:0;break-inside:avoid}
figcaption{font-weight:620;font-size:15.5px;margin-bottom:8px}
.says{color:var(--soft);font-size:14px;line-height:1.45;margin:6px 0 0}
svg{display:block;max-width:100%;height:auto;overflow:visible}
.scroll{overflow-x:auto;padding:2px 2px 8px}
.scroll table{min-width:560px}.scroll .matrix{min-width:0}
svg.graph{max-width:none}svg.graph.fit{max-width:max(100%,760px)}
text{font-size:12px;fill:var(--ink)}
.t{fill:var(--soft)}.t.strong,.t.ink{fill:var(--ink)}.label{fill:var(--soft);font-size:12px}
.grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--grey);stroke-width:1}
.reference{stroke:var(--grey);stroke-width:1.3;stroke-dasharray:2 4}
.limit{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:5 4;opacity:.75}
.curve{fill:none;stroke:var(--blue);stroke-width:2.4;stroke-linejoin:round}
.curve.thin{stroke-width:1.3;opacity:.7}.curve.second{stroke:var(--red);stroke-dasharray:7 3}
.curve.third{stroke:var(--grey);stroke-dasharray:2 3}
.mark{fill:var(--blue);stroke:var(--paper);stroke-width:1}.mark.bad{fill:var(--red)}
.whisker{stroke:var(--blue);stroke-width:1.6;opacity:.75}.whisker.bad{stroke:var(--red)}
.whisker.wide{stroke:var(--blue-2);stroke-width:7;opacity:1}
.bar{fill:var(--blue)}.bar.other{fill:var(--grey)}.bar.past{fill:var(--blue-2)}
.bar+.whisker{stroke:var(--ink);opacity:.6}
.edge{fill:none;stroke:var(--grey);stroke-width:1.3;opacity:.8}
.node .body{fill:var(--panel);stroke:var(--line)}.node .behind{fill:var(--panel);stroke:var(--line)}
.node .name{font-weight:620;font-size:13px}.node .sign{font-weight:700;font-size:13px}
.node.built .body{fill:var(--blue-bg);stroke:var(--blue-2)}.node.built .edge-bar,.node.built .sign{fill:var(--blue)}
.node.failed .body{fill:var(--red-bg);stroke:var(--red)}.node.failed .edge-bar,.node.failed .sign{fill:var(--red)}
.node.skipped .body{fill:var(--amber-bg);stroke:var(--amber);stroke-dasharray:4 3}
.node.skipped .edge-bar,.node.skipped .sign{fill:var(--amber)}
.node.reused .edge-bar,.node.reused .sign{fill:var(--grey)}
.verdict.pass{fill:var(--blue-bg)}.verdict.warn{fill:var(--amber)}.verdict.fail{fill:var(--red)}
.sign{font-size:11px;font-weight:700}.sign.pass{fill:var(--blue)}.sign.warn,.sign.fail{fill:var(--sign)}
table{border-collapse:collapse;width:100%;font-size:14.5px;line-height:1.4;margin:10px 0 4px}
th{text-align:left;font-weight:600;color:var(--soft);font-size:13px;border-bottom:1px solid var(--grey);
padding:5px 14px 5px 0;vertical-align:bottom}
td{border-bottom:1px solid var(--line);padding:6px 14px 6px 0;vertical-align:top}
td.n,th.n{text-align:right;white-space:nowrap}
td.name{font-weight:600}
.sub{display:block;color:var(--soft);font-size:13px;font-weight:400}
.state{white-space:nowrap;font-weight:600}
.state.built,.pass{color:var(--blue)}.state.failed,.fail{color:var(--red)}
.state.skipped,.warn,.undecided{color:var(--amber)}.state.reused{color:var(--soft)}
.verdict-word{font-weight:650}
.callout{border-left:4px solid var(--blue);background:var(--panel);border-radius:0 8px 8px 0;
padding:10px 16px;margin:12px 0;max-width:60em}
.callout.is-failed{border-color:var(--red)}.callout.is-warn{border-color:var(--amber)}
.callout p{margin:2px 0}
.matrix{width:auto;margin:0}.matrix td,.matrix th{text-align:right;padding:7px 16px}
.matrix th[scope=row]{border-bottom:1px solid var(--line);vertical-align:middle;color:var(--ink)}
.matrix td.hit{background:var(--blue-bg);font-weight:650}
code{font:13.5px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
background:var(--panel);border-radius:4px;padding:1px 5px;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;font-size:14.5px;margin:10px 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
ul.plain{list-style:none;padding:0;margin:8px 0}ul.plain li{padding:6px 0;border-bottom:1px solid var(--line);font-size:14.5px}
footer{color:var(--soft);font-size:13px;padding:34px 28px 50px}
@media(max-width:640px){main,footer{padding-left:18px;padding-right:18px}main{padding-top:24px}
h1{font-size:27px}.lead{font-size:16.5px}h2{font-size:21px;margin-top:44px}
dl{grid-template-columns:1fr}dt{margin-top:6px}.charts text{font-size:15px}}
@media print{:root{color-scheme:light;--paper:#fff;--panel:#f5f7f9;--ink:#000;--soft:#444;--line:#ccc;
--grid:#e5e5e5;--blue:#0a67b5;--blue-2:#9cc6ea;--red:#c2410c;--amber:#9a6200;--red-bg:#fdeee6;
--amber-bg:#fdf4dc;--blue-bg:#e8f2fb;--grey:#8a939d;--sign:#fff}
.charts{grid-template-columns:1fr 1fr;gap:8px 26px}.answers{grid-template-columns:repeat(3,1fr);gap:10px}
body{font-size:10pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main,footer{max-width:none;padding:0}nav{display:none}h2,h3,.under{break-after:avoid}tr,.answer{break-inside:avoid}
svg.graph{max-width:100%}.scroll{overflow:visible}@page{margin:16mm}}
)");

}  // namespace headrace::report
