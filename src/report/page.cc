// The page reads from the top: one sentence, the answers to what one asks first, then what proves
// them.
#include "report/page.h"

#include <fmt/format.h>

#include "report/headline.h"
#include "report/number_text.h"
#include "report/sections.h"
#include "report/style.h"

namespace headrace::report {
namespace {

Markup Head(const RunReport& report, const Headline& headline) {
  Markup head("head");
  head.Add(Markup("meta").Attr("charset", "utf-8"));
  head.Add(Markup("meta")
               .Attr("name", "viewport")
               .Attr("content", "width=device-width, initial-scale=1"));
  head.Add(Markup("meta").Attr("name", "generator").Attr("content", "Headrace " + report.version));
  // Nothing is loaded from anywhere, should a reader's program ever try.
  head.Add(Markup("meta")
               .Attr("http-equiv", "Content-Security-Policy")
               .Attr("content", "default-src 'none'; style-src 'unsafe-inline'"));
  head.Add(Markup("title", report.project + ": " + headline.title));
  head.Style(kStyle);
  return head;
}

Markup AnswerBox(const Answer& answer) {
  Markup box("section");
  box.Class("answer" + (answer.tone.empty() ? "" : " is-" + answer.tone));
  box.Add(Markup("h2", answer.question));
  box.Add(Markup("p", answer.answer).Class("big"));
  if (!answer.points.empty()) {
    Markup list("ul");
    for (const std::string& point : answer.points) list.Add(Markup("li", point));
    box.Add(std::move(list));
  }
  if (!answer.text.empty()) box.Add(Markup("p", answer.text));
  return box;
}

Markup Top(const RunReport& report, const Headline& headline) {
  Markup header("header");
  header.Add(Markup("p", fmt::format("{} · target {} · {}", report.project, report.target,
                                     DayAndTime(report.started)))
                 .Class("eyebrow"));
  header.Add(Markup("h1", headline.title));
  if (!headline.lead.empty()) header.Add(Markup("p", headline.lead).Class("lead"));
  Markup answers("div");
  answers.Class("answers");
  for (const Answer& answer : headline.answers) answers.Add(AnswerBox(answer));
  header.Add(std::move(answers));
  return header;
}

}  // namespace

std::string RenderPage(const RunReport& report, const Redactor* redactor) {
  const Headline headline = MakeHeadline(report);
  Markup nav("nav"), parts("div");
  nav.Attr("aria-label", "Parts of the page");
  const auto add = [&](Section section, const std::string& id, const std::string& name) {
    if (!section) return;
    nav.Add(Markup("a", name).LinkTo(id));
    parts.Add(std::move(*section));
  };
  add(GraphSection(report), "pipeline", "Pipeline");
  add(ChangesSection(report), "changes", "What changed");
  for (const ModelSection& model : report.models) {
    add(ModelPart(model), IdOf("model", model.model), "Model " + model.model);
  }
  add(ChecksSection(report), "checks", "Checks");
  add(RowsSection(report), "rows", "Rows");
  add(ActionsSection(report), "actions", "Actions");
  add(DecisionsSection(report), "decisions", "Decisions");
  add(NotesSection(report), "notes", "Notes");
  add(AboutSection(report), "about", "About this run");

  Markup main("main");
  main.Add(Top(report, headline)).Add(std::move(nav)).Add(std::move(parts));
  Markup html("html"), body("body");
  html.Attr("lang", "en");
  body.Add(std::move(main));
  body.Add(Markup("footer", fmt::format("Made by Headrace {} from the record of run {}.",
                                        report.version, report.run)));
  html.Add(Head(report, headline)).Add(std::move(body));
  return html.Page(redactor);
}

}  // namespace headrace::report
