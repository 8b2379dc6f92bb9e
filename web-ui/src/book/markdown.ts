// The pages of the book as they are written, taken apart for the page that draws them: as much of Markdown as the book uses. Pure.

/** A piece of a line. */
export type Span =
    | { readonly kind: 'text' | 'code' | 'strong' | 'emphasis'; readonly text: string }
    | { readonly kind: 'link'; readonly text: string; readonly to: string };

/** A piece of a page. */
export type Block =
    | {
          readonly kind: 'heading';
          readonly level: number;
          readonly id: string;
          readonly spans: readonly Span[];
      }
    | { readonly kind: 'paragraph' | 'quote'; readonly spans: readonly Span[] }
    | { readonly kind: 'list'; readonly isOrdered: boolean; readonly items: readonly Item[] }
    | { readonly kind: 'code'; readonly text: string }
    | {
          readonly kind: 'table';
          readonly head: readonly Spans[];
          readonly rows: readonly (readonly Spans[])[];
      };

type Spans = readonly Span[];

/** An entry of a list, and how far it is in. */
export type Item = { readonly depth: number; readonly spans: Spans };

const INLINE =
    /`([^`]+)`|\*\*([^*]+)\*\*|(?<![\\\w])\*([^*\s][^*]*)\*|\[((?:`[^`]*`|[^\]])*)\]\(([^)\s]+)\)/g;

/** The pieces of a line. */
export function spansOf(line: string): Span[] {
    const spans: Span[] = [];
    let from = 0;
    const text = (until: number): void => {
        const piece = line.slice(from, until).replaceAll(/\\([\\`*_{}[\]()#+\-.!|<>])/g, '$1');
        if (piece !== '') spans.push({ kind: 'text', text: piece });
    };
    for (const found of line.matchAll(INLINE)) {
        text(found.index);
        const [whole, code, strong, emphasis, label, to] = found;
        if (code !== undefined) spans.push({ kind: 'code', text: code });
        else if (strong !== undefined) spans.push({ kind: 'strong', text: strong.replaceAll('`', '') });
        else if (emphasis !== undefined) spans.push({ kind: 'emphasis', text: emphasis.replaceAll('`', '') });
        else spans.push({ kind: 'link', text: (label ?? '').replaceAll('`', ''), to: to ?? '' });
        from = found.index + whole.length;
    }
    text(line.length);
    return spans;
}

export const plain = (spans: Spans): string => spans.map(({ text }) => text).join('');

/** The name of a heading in addresses, as the book's own makers give it. */
export const idOf = (text: string): string =>
    text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-');

const BULLET = /^(\s*)([-*]|\d+\.)\s+(.*)$/;
const isRule = (line: string): boolean => /^\|?[\s:|-]+\|[\s:|-]*$/.test(line) && line.includes('-');

/** The cells of a line of a table; a bar in code, or behind a backslash, is none of its edges. */
function cellsOf(line: string): Spans[] {
    const cells: string[] = [];
    let [cell, isCode] = ['', false];
    const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
    for (let at = 0; at < inner.length; at++) {
        const letter = inner[at] ?? '';
        if (letter === '\\' && inner[at + 1] === '|') {
            cell += '|';
            at += 1;
        } else if (letter === '|' && !isCode) {
            cells.push(cell);
            cell = '';
        } else {
            if (letter === '`') isCode = !isCode;
            cell += letter;
        }
    }
    return [...cells, cell].map((each) => spansOf(each.trim()));
}

/** The pieces of a page. */
export function blocksOf(page: string): Block[] {
    const lines = page.replaceAll('\r\n', '\n').split('\n');
    const blocks: Block[] = [];
    let at = 0;
    const take = (fits: (line: string) => boolean): string[] => {
        const from = at;
        while (at < lines.length && fits(lines[at] ?? '')) at += 1;
        return lines.slice(from, at);
    };
    while (at < lines.length) {
        const line = lines[at] ?? '';
        const fence = /^(\s*)(```+|~~~+)/.exec(line);
        const heading = /^(#{1,6})\s+(.*)$/.exec(line);
        if (line.trim() === '' || /^<!--.*-->$/.test(line.trim())) at += 1;
        else if (fence) {
            at += 1;
            const inside = take((each) => !each.trim().startsWith(fence[2] ?? '```'));
            at += 1;
            const lead = fence[1]?.length ?? 0;
            blocks.push({ kind: 'code', text: inside.map((each) => each.slice(lead)).join('\n') });
        } else if (heading) {
            at += 1;
            const spans = spansOf(heading[2] ?? '');
            blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, id: idOf(plain(spans)), spans });
        } else if (line.startsWith('|') && isRule(lines[at + 1] ?? '')) {
            const [head, , ...rows] = take((each) => each.startsWith('|')).map(cellsOf);
            blocks.push({ kind: 'table', head: head ?? [], rows });
        } else if (BULLET.test(line)) blocks.push(listOf(take((each) => each.trim() !== '')));
        else {
            const isQuote = line.startsWith('>');
            const inside = take(
                (each) => each.trim() !== '' && !/^(#{1,6}\s|\s*```|\|)/.test(each) && !BULLET.test(each),
            );
            const text = inside.map((each) => each.replace(/^>\s?/, '').trim()).join(' ');
            // What begins like something else and is not stands for itself.
            if (inside.length === 0) at += 1;
            blocks.push({ kind: isQuote ? 'quote' : 'paragraph', spans: spansOf(text || line) });
        }
    }
    return blocks;
}

/** Entries with the lines that go on with them. */
function listOf(lines: readonly string[]): Block {
    const items: { depth: number; text: string }[] = [];
    for (const line of lines) {
        const found = BULLET.exec(line);
        if (found) items.push({ depth: Math.floor((found[1]?.length ?? 0) / 2), text: found[3] ?? '' });
        else {
            const last = items.at(-1);
            if (last) last.text += ` ${line.trim()}`;
        }
    }
    const isOrdered = /^\s*\d+\./.test(lines[0] ?? '');
    return {
        kind: 'list',
        isOrdered,
        items: items.map(({ depth, text }) => ({ depth, spans: spansOf(text) })),
    };
}
