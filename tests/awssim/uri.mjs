// Reads URIs as they are on the wire, without the help that form parsers give.

export function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Unlike URLSearchParams, "+" stays a plus: SigV4 signs it as such.
export function readQuery(text) {
  const query = {};
  for (const pair of text.split("&").filter(Boolean)) {
    const cut = pair.indexOf("=");
    const [name, value] = cut < 0 ? [decode(pair), ""] : [decode(pair.slice(0, cut)), decode(pair.slice(cut + 1))];
    query[name] = Object.hasOwn(query, name) ? [query[name], value].flat() : value;
  }
  return query;
}

export function split(target) {
  const cut = target.indexOf("?");
  return cut < 0
    ? { path: target, query: {} }
    : { path: target.slice(0, cut), query: readQuery(target.slice(cut + 1)) };
}
