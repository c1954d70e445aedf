"""The report of a run: one file that needs nothing else, well-formed, described for screen readers,
without a row's value, the same when it is made again, left alone by a run that does nothing."""
import csv
import os
import re
import xml.etree.ElementTree as ElementTree

from harness import Project, Tally

HOSTILE = "<script>alert('x')</script>&amp;\" onload=\"x"
SVG = "svg"


def page(project, target="dev"):
    path = os.path.join(project.root, ".headrace", target, "reports", "latest.html")
    with open(path, encoding="utf-8") as file:
        return file.read()


def faults_of(text, keys):
    faults = []
    if len(text.encode()) >= 500_000:
        faults.append(f"{len(text.encode())} bytes")
    if "<script" in text.lower():
        faults.append("a script")
    if re.search(r"""\b(src|srcset|data|action|poster)\s*=\s*["']""", text):
        faults.append("something is loaded")
    faults += [f"a link to {link}" for link in re.findall(r'href="([^#"][^"]*)"', text)]
    if re.search(r"url\(|@import|https?://", text):
        faults.append("an address")
    if re.search(r"\son[a-z]+=[\"']", re.sub(r">[^<]*<", "><", text)):
        faults.append("an event handler")
    body = text.split("\n", 1)[1]  # behind the doctype
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as fault:
        return faults + [f"not well-formed: {fault}"]
    drawings = [e for e in root.iter() if e.tag == SVG]
    if not drawings:
        faults.append("no drawing")
    for drawing in drawings:
        title, desc = drawing.find("title"), drawing.find("desc")
        if title is None or desc is None or not title.text or not desc.text:
            faults.append("a drawing without title or description")
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    faults += [f"id {i} twice" for i in sorted({i for i in ids if ids.count(i) > 1})]
    faults += [f"link to nowhere: {a.get('href')}" for a in root.iter("a") if a.get("href")[1:] not in ids]
    faults += [f"key {key} of a row" for key in keys if key in text][:3]
    return faults


def main():
    tally = Tally()
    project = Project()
    with open(os.path.join(project.root, "data", "customers.csv"), newline="") as file:
        keys = [row["customer_id"] for row in csv.DictReader(file)]
    project.edit("pipeline/customers.yml", "description: Customers and their contracts",
                 "description: |-\n  " + HOSTILE + "\n#")
    project.edit("pipeline/churn.yml", "description: Will this customer leave?",
                 "description: |-\n  " + HOSTILE)
    code, out, err = project.run("run")
    named = re.search(r"^report: \.headrace/dev/reports/\S+\.html$", err, re.M)
    tally.check("the run succeeds and names its report", [] if code == 0 and named else [err])
    first = page(project)
    faults = faults_of(first, keys)
    tally.check("the page of a run stands by itself", faults)
    tally.check("a hostile description is text",
                [] if "&lt;script&gt;alert(" in first else ["it isn't there"])
    words = ("ROC", "Calibration", "by influence", "What was decided, and why", "Over the last runs")
    tally.check("it shows what it should", [word for word in words if word not in first])
    code, out, err = project.run("report")
    tally.check("made again it is the same", [] if code == 0 and page(project) == first else [err])

    folder = os.path.join(project.root, ".headrace", "dev", "reports")
    before = {name: os.stat(os.path.join(folder, name)).st_mtime_ns for name in os.listdir(folder)}
    code, out, err = project.run("run")
    after = {name: os.stat(os.path.join(folder, name)).st_mtime_ns for name in os.listdir(folder)}
    tally.check("a run that does nothing leaves it alone", [] if code == 0 and before == after else [err])

    # A check that fails prints samples of rows; they don't get into the page.
    project.edit("pipeline/customers.yml", "checks:\n  - accepted:",
                 "checks:\n  - expression: contract <> 'One year'\n  - accepted:")
    code, out, err = project.run("run")
    told = any(key in err for key in keys)
    tally.check("the failing run tells rows to its user", [] if code == 1 and told else [err])
    text = page(project)
    faults = faults_of(text, keys)
    tally.check("its page tells none", faults)
    tally.check("its page says what failed", [] if "customers failed" in text else ["it doesn't"])
    project.remove()
    tally.end()


if __name__ == "__main__":
    main()
