import { readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { PLACES } from './places';
import { blocksOf, idOf, plain, spansOf } from './markdown';

test('a line has text, code, words that stand out, and links', () => {
    expect(spansOf('Say `a|b` and **mind** the [gap](x.md#gap) \\*here\\*')).toEqual([
        { kind: 'text', text: 'Say ' },
        { kind: 'code', text: 'a|b' },
        { kind: 'text', text: ' and ' },
        { kind: 'strong', text: 'mind' },
        { kind: 'text', text: ' the ' },
        { kind: 'link', text: 'gap', to: 'x.md#gap' },
        { kind: 'text', text: ' *here*' },
    ]);
});

test('a page is headings, paragraphs, lists, tables and code', () => {
    const page = [
        '# The *first* hour',
        '',
        'Two lines',
        'of one paragraph.',
        '- one',
        '  goes on',
        '  - inner',
        '',
        '| a | b |',
        '|---|---|',
        '| `x|y` | z\\|w |',
        '',
        '```sh',
        'echo "# no heading"',
        '```',
    ].join('\n');
    const blocks = blocksOf(page);
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'paragraph', 'list', 'table', 'code']);
    const [heading, paragraph, list, table, code] = blocks;
    expect(heading).toMatchObject({ level: 1, id: 'the-first-hour' });
    expect(paragraph?.kind === 'paragraph' && plain(paragraph.spans)).toBe('Two lines of one paragraph.');
    expect(list?.kind === 'list' && list.items.map(({ depth, spans }) => [depth, plain(spans)])).toEqual([
        [0, 'one goes on'],
        [1, 'inner'],
    ]);
    expect(table?.kind === 'table' && table.rows.map((row) => row.map(plain))).toEqual([['x|y', 'z|w']]);
    expect(code).toEqual({ kind: 'code', text: 'echo "# no heading"' });
});

test('every page of the book is read to its end, and every link in it leads somewhere', () => {
    const folder = new URL('../../../docs/', import.meta.url);
    const pages = new Map(
        readdirSync(folder)
            .filter((name) => name.endsWith('.md') && name !== 'SUMMARY.md')
            .map((name) => [name, blocksOf(readFileSync(new URL(name, folder), 'utf8'))]),
    );
    expect(pages.size).toBeGreaterThan(10);
    for (const [name, blocks] of pages) {
        expect(blocks[0]?.kind, name).toBe('heading');
        const spans = blocks.flatMap((block) => {
            if (block.kind === 'code') return [];
            if (block.kind === 'list') return block.items.flatMap(({ spans }) => spans);
            if (block.kind === 'table') return [...block.head, ...block.rows.flat()].flat();
            return block.spans;
        });
        for (const span of spans) {
            if (span.kind !== 'link' || !/^[\w-]*(\.md)?(#|$)/.test(span.to)) continue;
            const [page, id] = span.to.split('#');
            const there = pages.get(page || name);
            expect(there, `${name}: ${span.to}`).toBeDefined();
            if (id === undefined) continue;
            const ids = there?.map((block) => (block.kind === 'heading' ? block.id : ''));
            expect(ids, `${name}: ${span.to}`).toContain(id);
        }
    }
    for (const { name, id } of Object.values(PLACES)) {
        const ids = pages.get(`${name}.md`)?.map((block) => (block.kind === 'heading' ? block.id : ''));
        expect(ids, name).toContain(id);
    }
    expect(idOf('`engine.toml`, and so on')).toBe('enginetoml-and-so-on');
});
