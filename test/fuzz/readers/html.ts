/** A page as browsers parse it (the HTML standard), as an outline that can be compared. */
import { type DefaultTreeAdapterTypes, parse } from 'parse5';

export interface Outline {
  /** Each element and each attribute's name, in their order: `<a href>`. */
  tags: string[];
  texts: string[];
  /** `name=value` of each attribute. */
  attributes: string[];
}

type Node = DefaultTreeAdapterTypes.Node;

export function outlineOf(html: string): Outline {
  const outline: Outline = { tags: [], texts: [], attributes: [] };
  walk(parse(html), outline);
  return outline;
}

function walk(node: Node, outline: Outline): void {
  if (node.nodeName === '#text') outline.texts.push((node as DefaultTreeAdapterTypes.TextNode).value);
  else if (node.nodeName === '#comment') outline.tags.push('<!-- -->');
  else if ('attrs' in node) {
    outline.tags.push(`<${[node.tagName, ...node.attrs.map(({ name }) => name)].join(' ')}>`);
    for (const { name, value } of node.attrs) outline.attributes.push(`${node.tagName} ${name}=${value}`);
  }
  for (const child of 'childNodes' in node ? node.childNodes : []) walk(child, outline);
}
