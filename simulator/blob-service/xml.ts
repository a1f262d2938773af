import { XMLParser } from 'fast-xml-parser'
import { StorageError } from './storage-error.ts'

/** XML bodies: writing small documents with escaping, reading the few that clients send. */

const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'

/** Values stay text; `Latest` and friends may repeat, and their order matters, so the order is preserved. */
const parser = new XMLParser({ preserveOrder: true, parseTagValue: false, ignoreAttributes: true, trimValues: true })

export function xmlDocument(root: string): string {
  return DECLARATION + root
}

/** An element with markup inside. */
export function xmlElement(name: string, content: string, attributes: Readonly<Record<string, string>> = {}): string {
  const attributeText = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escapeXml(value)}"`)
    .join('')
  return content === '' ? `<${name}${attributeText} />` : `<${name}${attributeText}>${content}</${name}>`
}

/** An element with text inside; nothing at all when there is no text to tell. */
export function xmlText(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? '' : xmlElement(name, escapeXml(String(text)))
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/**
 * The children of the root element as name and text, in order.
 *
 * @throws StorageError InvalidXmlDocument when the body is not a document with that root.
 */
export function parseXmlChildren(body: string, rootName: string): { name: string; text: string }[] {
  const nodes = parseNodes(body)
  const root = nodes.find((node) => rootName in node)?.[rootName]
  if (!Array.isArray(root)) throw new StorageError('InvalidXmlDocument')
  return root.filter(isNode).flatMap((child) => {
    const name = Object.keys(child)[0]
    return name === undefined || name === '#text' ? [] : [{ name, text: textOf(child[name]) }]
  })
}

type XmlNode = Record<string, unknown>

function parseNodes(body: string): XmlNode[] {
  try {
    const parsed: unknown = parser.parse(body, true)
    return Array.isArray(parsed) ? parsed.filter(isNode) : []
  } catch {
    throw new StorageError('InvalidXmlDocument')
  }
}

function isNode(value: unknown): value is XmlNode {
  return typeof value === 'object' && value !== null
}

function textOf(children: unknown): string {
  if (!Array.isArray(children)) return ''
  const texts = children.filter(isNode).map((child) => child['#text'])
  return texts.filter((text) => typeof text === 'string').join('')
}
