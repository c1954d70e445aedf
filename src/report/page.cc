#include "report/page.h"

#include "report/markup.h"

namespace headrace::report {

std::string RenderPage(const RunReport& report, const Redactor* redactor) {
  Markup html("html");
  html.Attr("lang", "en");
  Markup head("head");
  head.Add(Markup("meta").Attr("charset", "utf-8"));
  head.Add(Markup("title", report.project + ": run " + report.run));
  html.Add(std::move(head));
  Markup body("body");
  body.Add(Markup("h1", report.project));
  html.Add(std::move(body));
  return html.Page(redactor);
}

}  // namespace headrace::report
