/** A call of XML-RPC as a strict parser of XML reads it. */
import { DOMParser, type Element, type Node, ParseError } from '@xmldom/xmldom';

export interface Call {
  method: string;
  params: unknown[];
}

/** Throws SyntaxError on anything that is not one well-formed call. */
export function readCall(xml: string): Call {
  const root = new DOMParser({
    onError: (level, message) => {
      throw new ParseError(`${level}: ${message}`);
    },
  }).parseFromString(xml, 'text/xml').documentElement;
  if (root?.tagName !== 'methodCall') throw new SyntaxError(`not a call: <${root?.tagName}>`);
  const [method, params, ...more] = elements(root);
  if (method?.tagName !== 'methodName' || params?.tagName !== 'params' || more.length > 0) {
    throw new SyntaxError('not a name and its parameters');
  }
  return { method: method.textContent ?? '', params: elements(params).map((param) => valueIn(only(param))) };
}

function valueIn(value: Element): unknown {
  if (value.tagName !== 'value') throw new SyntaxError(`not a value: <${value.tagName}>`);
  const typed = only(value);
  const content = typed.textContent ?? '';
  switch (typed.tagName) {
    case 'string':
      if (elements(typed).length > 0) throw new SyntaxError('a string that holds elements');
      return content;
    case 'int':
    case 'i4':
    case 'double':
      return Number(content);
    case 'boolean':
      return content === '1';
    case 'array':
      return elements(only(typed)).map(valueIn);
    case 'struct':
      return Object.fromEntries(
        elements(typed).map((member) => {
          const [name, held] = elements(member);
          if (!name || !held) throw new SyntaxError('a member without name or value');
          return [name.textContent ?? '', valueIn(held)];
        }),
      );
    default:
      throw new SyntaxError(`no type of ours: <${typed.tagName}>`);
  }
}

function elements(parent: Element): Element[] {
  const found: Element[] = [];
  for (let child: Node | null = parent.firstChild; child; child = child.nextSibling) {
    if (child.nodeType === 1) found.push(child as Element);
    else if (child.nodeType === 3 && (child.nodeValue ?? '').trim() !== '' && parent.tagName !== 'string') {
      throw new SyntaxError(`text beside elements: ${child.nodeValue}`);
    }
  }
  return found;
}

function only(parent: Element): Element {
  const [first, ...more] = elements(parent);
  if (!first || more.length > 0) throw new SyntaxError(`<${parent.tagName}> does not hold one element`);
  return first;
}
