// The book: its pages, which come with the pages of the engine and need no network, and what is found in them.

import { finder } from '../text/words';
import { blocksOf, plain, type Block } from './markdown';

/** A page of the book. */
export type Page = { readonly name: string; readonly title: string; readonly blocks: readonly Block[] };

/** A part of a page that has the words that were looked for. */
export type Hit = {
    readonly name: string;
    readonly title: string;
    readonly heading: string;
    readonly id: string;
    readonly words: string;
};

const FILES = import.meta.glob<string>('../../../docs/*.md', { query: '?raw', import: 'default' });
/** Letters of a part that are shown where it was found. */
const SHOWN_MAX = 200;

/** All pages, in the order of the book. */
export async function readBook(): Promise<readonly Page[]> {
    const texts = new Map(
        await Promise.all(
            Object.entries(FILES).map(
                async ([path, load]) => [path.replace(/^.*\/|\.md$/g, ''), await load()] as const,
            ),
        ),
    );
    const listed = [...(texts.get('SUMMARY') ?? '').matchAll(/\[([^\]]+)\]\(([\w-]+)\.md\)/g)];
    return listed.flatMap(([, title = '', name = '']) => {
        const text = texts.get(name);
        return text === undefined ? [] : [{ name, title, blocks: blocksOf(text) }];
    });
}

/** The text of a piece, as one looks for it. */
export function textOf(block: Block): string {
    switch (block.kind) {
        case 'code':
            return block.text;
        case 'list':
            return block.items.map(({ spans }) => plain(spans)).join(' ');
        case 'table':
            return [block.head, ...block.rows].map((row) => row.map(plain).join(' ')).join(' ');
        case 'heading':
        case 'paragraph':
        case 'quote':
            return plain(block.spans);
    }
}

/** The parts that have all the words, those with them in the heading first. */
export function find(pages: readonly Page[], words: string, most: number): Hit[] {
    const isFound = finder(words);
    const [first, rest]: [Hit[], Hit[]] = [[], []];
    for (const { name, title, blocks } of pages) {
        let [heading, id] = [title, ''];
        for (const block of blocks) {
            const text = textOf(block);
            if (block.kind === 'heading') [heading, id] = [text, block.id];
            const isHeading = block.kind === 'heading';
            if (isHeading ? !isFound(`${title} ${text}`) : !isFound(`${heading} ${text}`)) continue;
            // A part is listed once, by what says most of it.
            const list = isHeading ? first : rest;
            if ([...first, ...rest].some((hit) => hit.name === name && hit.id === id)) continue;
            list.push({ name, title, heading, id, words: isHeading ? '' : around(text, words) });
        }
    }
    return [...first, ...rest].slice(0, most);
}

/** Where the first of the words stands. */
function around(text: string, words: string): string {
    const word = words.trim().toLowerCase().split(/\s+/)[0] ?? '';
    const from = Math.max(0, text.toLowerCase().indexOf(word) - SHOWN_MAX / 3);
    const piece = text.slice(from, from + SHOWN_MAX);
    return `${from > 0 ? '…' : ''}${piece}${from + SHOWN_MAX < text.length ? '…' : ''}`;
}
