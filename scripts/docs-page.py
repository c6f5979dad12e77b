"""Renders an OpenAPI document as one HTML page, which runs no script and loads nothing."""

import html
import json
import re
import sys

import yaml

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fbfbf8; --raised: #ffffff; --text: #22302e; --soft: #5b6b68; --line: #e2e6e1;
  --accent: #1f6f68; --tint: #e9f2ef; --code: #f3f5f1;
  --get: #1f6f68; --post: #35578f; --put: #7a5a12; --patch: #6a4a86; --delete: #9c3b32;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #141a1a; --raised: #1a2222; --text: #dfe7e4; --soft: #98a9a5; --line: #2b3635;
    --accent: #7cc7bc; --tint: #1d2f2d; --code: #10161a;
    --get: #7cc7bc; --post: #93b4ea; --put: #dab868; --patch: #c4a3e0; --delete: #ef9a90;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 3px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--raised); padding: .5rem 1rem; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; }
code { overflow-wrap: anywhere; }
pre { margin: .5rem 0 0; padding: .9rem 1rem; background: var(--code); border: 1px solid var(--line); border-radius: 8px;
  overflow-x: auto; line-height: 1.5; }
pre code { overflow-wrap: normal; font-size: 1em; }
h1, h2, h3, h4 { line-height: 1.25; font-weight: 600; text-wrap: balance; }
h1 { font-size: 1.9rem; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.35rem; margin: 4rem 0 .25rem; }
h3 { font-size: 1.05rem; margin: 0; }
h4 { font-size: .78rem; margin: 1.4rem 0 .4rem; color: var(--soft); letter-spacing: .06em; text-transform: uppercase; }
p { margin: .5rem 0; max-width: 68ch; }
.soft { color: var(--soft); }
nav ul, main ul.plain { list-style: none; margin: 0; padding: 0; }
nav { font-size: .9rem; padding: 1rem 1.25rem; border-bottom: 1px solid var(--line); display: flex; flex-wrap: wrap;
  gap: .25rem 1.1rem; }
nav ul { display: none; }
nav a { color: inherit; text-decoration: none; display: block; padding: .15rem 0; }
nav a:hover { color: var(--accent); }
nav .tag { margin: 0; font-weight: 600; }
details > summary { cursor: pointer; }
main { padding: 2rem 1.25rem 6rem; min-width: 0; }
article { background: var(--raised); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem; margin: 1.25rem 0; }
.route { margin: .35rem 0 0; }
.method { display: inline-block; min-width: 3.9rem; font-weight: 700; font-size: .74rem; letter-spacing: .05em;
  font-family: inherit; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .patch { color: var(--patch); }
.delete { color: var(--delete); }
.members { margin: 0; }
.members > div { display: grid; grid-template-columns: 1fr; gap: 0 1.5rem; padding: .55rem 0; border-top: 1px solid var(--line); }
.members > div:first-child { border-top: 0; }
.members dd { margin: 0; }
.members dt { font-weight: 500; min-width: 0; }
.members .type { color: var(--soft); font-size: .88rem; font-weight: 400; display: block; overflow-wrap: anywhere; }
.needed { color: var(--accent); font-size: .78rem; margin-left: .4rem; }
.members p { margin: 0; }
.nested { margin-left: .2rem; padding-left: 1rem; border-left: 2px solid var(--line); }
details { margin: .5rem 0; }
details > summary { color: var(--soft); font-size: .9rem; padding: .2rem 0; }
details[open] > summary { color: var(--text); }
.status { font-weight: 600; font-variant-numeric: tabular-nums; margin-right: .5rem; }
.choice { background: var(--tint); border-radius: 5px; padding: .05rem .35rem; margin: 0 .15rem .15rem 0; display: inline-block; }
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 18rem minmax(0, 1fr); }
  nav { display: block; position: sticky; top: 0; height: 100vh; overflow-y: auto; border-bottom: 0;
    border-right: 1px solid var(--line); padding: 1.6rem 1.5rem; }
  nav ul { display: block; }
  nav .tag { margin: .9rem 0 .15rem; }
  main { padding: 2.5rem 3.5rem 8rem; max-width: 64rem; }
  article { padding: 1.5rem 1.75rem; }
  .members > div { grid-template-columns: 17rem minmax(0, 1fr); }
  .nested .members > div { grid-template-columns: 15rem minmax(0, 1fr); }
}
@media print { nav { display: none; } body { display: block; } article { break-inside: avoid; border: 0; padding: 0; } }
"""

METHODS = ("get", "post", "put", "patch", "delete")
document = yaml.safe_load(open(sys.argv[1], encoding="utf-8"))
e = html.escape


def find(reference):
    value = document
    for part in reference.removeprefix("#/").split("/"):
        value = value[part]
    return value


def resolved(value):
    """The value, or what it refers to with what it says itself."""
    if "$ref" not in value:
        return value
    return {**find(value["$ref"]), **{k: v for k, v in value.items() if k != "$ref"}}


def prose(text, inline=False):
    """Markdown, as far as the document uses it: paragraphs and code."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", e(text.strip(), quote=False))
    if inline:
        return text
    return "".join(f"<p>{part}</p>" for part in text.split("\n\n"))


def schema_link(name):
    return f'<a href="#schema-{e(name)}">{e(name)}</a>'


def kind(schema):
    """A type in words, with links to the schemas that have names."""
    if "$ref" in schema:
        return schema_link(schema["$ref"].rsplit("/", 1)[1])
    for word, joint in (("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")):
        if word in schema:
            if all("const" in one for one in schema[word]):
                return "one of"
            return joint.join(kind(one) for one in schema[word])
    if "const" in schema:
        return f"<code>{e(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return "one of " + " ".join(f'<code class="choice">{e(str(one))}</code>' for one in schema["enum"])
    types = schema.get("type", "any value")
    types = [types] if isinstance(types, str) else list(types)
    words = " or ".join(types)
    if "array" in types:
        words = words.replace("array", "list of " + kind(schema.get("items", {})))
    elif isinstance(schema.get("additionalProperties"), dict):
        words += " of " + kind(schema["additionalProperties"])
    return words + "".join(f", {bound}" for bound in bounds(schema))


def bounds(schema):
    if "format" in schema:
        yield e(schema["format"])
    for least, most, unit in (("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " of them")):
        low, high = schema.get(least), schema.get(most)
        if low is not None and high is not None:
            yield f"{low} to {high}{unit}"
        elif low is not None:
            yield f"at least {low}{unit}"
        elif high is not None:
            yield f"at most {high}{unit}"
    for key, phrase in {"exclusiveMinimum": "more than {}", "maxProperties": "at most {} members"}.items():
        if key in schema:
            yield phrase.format(schema[key])
    for key, phrase in {"pattern": "<code>{}</code>", "default": "otherwise <code>{}</code>"}.items():
        if key in schema:
            yield phrase.format(e(str(schema[key])))


def entry(name, schema, needed=False, description=None):
    description = description or schema.get("description")
    body = prose(description, inline=True) if description else ""
    return (
        f"<div><dt><code>{e(name)}</code>{'<span class=needed>required</span>' if needed else ''}"
        f'<span class="type">{kind(schema)}</span></dt><dd>{f"<p>{body}</p>" if body else ""}</dd></div>'
        + nested(schema)
    )


def nested(schema):
    """The members of what has no name of its own."""
    if "$ref" in schema:
        return ""
    inner = members(schema.get("items", {}) if schema.get("type") == "array" else schema)
    return f'<div><dd class="nested">{inner}</dd></div>' if inner else ""


def members(schema):
    if "$ref" in schema:
        return ""
    if "properties" in schema:
        needed = schema.get("required", [])
        rows = "".join(entry(name, value, name in needed) for name, value in schema["properties"].items())
        return f'<dl class="members">{rows}</dl>'
    choices = [one for one in schema.get("oneOf", []) if "const" in one]
    if choices:
        rows = "".join(
            f"<div><dt><code>{e(str(one['const']))}</code></dt><dd><p>{prose(one.get('description', ''), True)}</p></dd></div>"
            for one in choices
        )
        return f'<dl class="members">{rows}</dl>'
    return "".join(members(one) for one in schema.get("allOf", []))


def shape(schema):
    """What a body is: by its name, or member by member."""
    inner = members(schema)
    return inner if inner else f"<p>{kind(schema)}</p>"


def examples(content):
    for name, given in content.get("examples", {}).items():
        given = resolved(given)
        value = given["value"]
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        title = given.get("summary") or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
        code = f'<pre tabindex="0"><code>{e(text, quote=False)}</code></pre>'
        yield f"<details><summary>Example: {e(title)}</summary>{code}</details>"


def body(content):
    parts = []
    for media, value in content.items():
        parts.append(f'<p class="soft"><code>{e(media)}</code></p>{shape(value["schema"])}' + "".join(examples(value)))
    return "".join(parts)


def response(status, given):
    given = resolved(given)
    content = given.get("content", {})
    headers = "".join(
        entry(name, resolved(header)["schema"], description=resolved(header).get("description"))
        for name, header in given.get("headers", {}).items()
        if name != "X-Request-Id"
    )
    inner = (f'<dl class="members">{headers}</dl>' if headers else "") + body(content)
    words = f'<span class="status">{e(status)}</span>{prose(given["description"], inline=True)}'
    return f"<details><summary>{words}</summary>{inner}</details>" if inner else f"<p>{words}</p>"


def security(operation):
    needs = operation.get("security", document.get("security", []))
    if not needs:
        return "Open to everybody."
    ways = []
    for one in needs:
        for name, scopes in one.items():
            scope = " ".join(f"<code>{e(scope)}</code>" for scope in scopes)
            link = f'<a href="#security-{e(name)}">{e(name)}</a>'
            ways.append(f"{link} with {scope}" if scope else link)
    return "Needs " + ", or ".join(ways) + "."


def operation(path, method, given, shared):
    parts = [
        f'<article id="{e(given["operationId"])}"><h3>{e(given["summary"])}</h3>'
        f'<p class="route"><span class="method {method}">{method.upper()}</span><code>{e(path)}</code></p>',
        prose(given.get("description", "")) if given.get("description") else "",
        f'<p class="soft">{security(given)}</p>',
    ]
    parameters = [resolved(one) for one in shared + given.get("parameters", [])]
    for place, heading in (("path", "In the path"), ("query", "In the query"), ("header", "Headers")):
        rows = "".join(
            entry(one["name"], one["schema"], one.get("required", False), one.get("description"))
            for one in parameters
            if one["in"] == place
        )
        if rows:
            parts.append(f'<h4>{heading}</h4><dl class="members">{rows}</dl>')
    if "requestBody" in given:
        request = resolved(given["requestBody"])
        parts.append("<h4>Body</h4>" + body(request["content"]))
    parts.append("<h4>Answers</h4>" + "".join(response(status, one) for status, one in given["responses"].items()))
    return "".join(parts) + "</article>"


operations = [
    (path, method, item[method], item.get("parameters", []))
    for path, item in document["paths"].items()
    for method in METHODS
    if method in item
]
info = document["info"]
nav, sections = [], []
for tag in document["tags"]:
    name = tag["name"]
    own = [one for one in operations if name in one[2]["tags"]]
    if not own:
        continue
    nav.append(f'<p class="tag"><a href="#tag-{e(name)}">{e(name.capitalize())}</a></p><ul>')
    nav += [f'<li><a href="#{e(one[2]["operationId"])}">{e(one[2]["summary"])}</a></li>' for one in own]
    nav.append("</ul>")
    sections.append(f'<section><h2 id="tag-{e(name)}">{e(name.capitalize())}</h2>{prose(tag["description"])}')
    sections += [operation(*one) for one in own]
    sections.append("</section>")

schemes = "".join(
    f'<article id="security-{e(name)}"><h3>{e(name)}</h3>{prose(scheme["description"])}</article>'
    for name, scheme in document["components"]["securitySchemes"].items()
)
schemas = "".join(
    f'<article id="schema-{e(name)}"><h3>{e(name)}</h3>'
    f'{prose(schema["description"]) if "description" in schema else ""}'
    f'{"" if members(schema) else f"<p>{kind(schema)}</p>"}{members(schema)}</article>'
    for name, schema in document["components"]["schemas"].items()
)
# A sentence ends with a line here, and a line need not end a sentence.
sentences = re.split(r"(?<=[.])\n", prose(info["description"], inline=True))
general = "".join(f"<p>{sentence}</p>" for sentence in sentences)
nav.append('<p class="tag"><a href="#security">Tokens</a></p><p class="tag"><a href="#schemas">Schemas</a></p>')

sys.stdout.write(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{e(info["title"])}</title>
<style>{STYLE}</style>
</head>
<body>
<nav aria-label="Contents"><a class="skip" href="#main">Skip the contents</a>
{"".join(nav)}</nav>
<main id="main">
<h1>{e(info["title"])}</h1>
<p class="soft">{e(info["summary"])}</p>
<p><a href="/openapi.yaml">openapi.yaml</a> says the same to programs.</p>
<h2 id="general">Everywhere</h2>
{general}
{"".join(sections)}
<section><h2 id="security">Tokens</h2>{schemes}</section>
<section><h2 id="schemas">Schemas</h2>{schemas}</section>
</main>
</body>
</html>
""")
