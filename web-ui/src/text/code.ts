// A text editor, as code editors are: colours, folding, search, problems in place. Heavy: it is loaded by `import()` only.
//
// It lives in a shadow root: there its styles are style sheets, which the content policy allows; in the page they would be inline ones.

import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import {
    bracketMatching,
    codeFolding,
    foldGutter,
    foldKeymap,
    HighlightStyle,
    indentOnInput,
    indentUnit,
    syntaxHighlighting,
} from '@codemirror/language';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Annotation, Compartment, EditorState, type Extension, type Text } from '@codemirror/state';
import {
    drawSelection,
    EditorView,
    highlightActiveLine,
    highlightActiveLineGutter,
    highlightSpecialChars,
    keymap,
    lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';

import { UNSEEN } from '../parts/unseen';
import { spliceOf } from './splice';

/** A problem of the text: line and column from 1, 0 where the whole line or text is meant. */
export type Mark = { line: number; column: number; isError: boolean; message: string };

export type CodeOptions = {
    text: string;
    label: string;
    readOnly: boolean;
    /** Somebody has typed. */
    changed: (text: string) => void;
};

/** Marks what comes from outside: it is nobody's typing. */
const outside = Annotation.define<boolean>();

const colours = HighlightStyle.define([
    { tag: tags.tagName, color: 'var(--work-ink)' },
    { tag: tags.angleBracket, color: 'var(--ink-quiet)' },
    { tag: tags.attributeName, color: 'var(--warn-ink)' },
    { tag: tags.attributeValue, color: 'var(--pass-ink)' },
    { tag: tags.comment, color: 'var(--ink-quiet)', fontStyle: 'italic' },
    {
        tag: [tags.keyword, tags.standard(tags.variableName), tags.definitionKeyword],
        color: 'var(--work-ink)',
    },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--pass-ink)' },
    { tag: [tags.number, tags.atom, tags.bool, tags.meta], color: 'var(--warn-ink)' },
    { tag: [tags.definition(tags.variableName), tags.propertyName], fontWeight: '600' },
    { tag: tags.invalid, color: 'var(--fail-ink)' },
]);

const look = EditorView.theme({
    '&': { height: '100%', background: 'var(--surface)', color: 'var(--ink)', fontSize: '0.8125rem' },
    '.cm-scroller': { fontFamily: 'var(--machine)', lineHeight: '20px' },
    '.cm-content': { caretColor: 'var(--ink)' },
    '.cm-cursor': { borderLeftColor: 'var(--ink)' },
    '.cm-gutters': { background: 'var(--sunken)', color: 'var(--ink-quiet)', border: 'none' },
    '.cm-activeLine, .cm-activeLineGutter': { background: 'var(--hover)' },
    '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
        background: 'var(--chosen) !important',
    },
    '.cm-panels, .cm-tooltip': {
        background: 'var(--raised)',
        color: 'var(--ink)',
        border: '1px solid var(--edge)',
    },
    '.cm-textfield, .cm-button': {
        background: 'var(--surface)',
        color: 'var(--ink)',
        border: '1px solid var(--edge-strong)',
        backgroundImage: 'none',
    },
    '.cm-searchMatch': { background: 'var(--warn-fill)' },
    '.cm-searchMatch-selected': { background: 'var(--warn-mark)' },
    '.cm-specialChar': { color: 'var(--fail-ink)' },
});

/** An editor in an element. */
export class Code {
    readonly #view: EditorView;
    readonly #language = new Compartment();

    constructor(host: HTMLElement, { text, label, readOnly, changed }: CodeOptions) {
        const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
        // Lines end as they do in the file, or the file would be another one.
        const isCrLf = text.includes('\r\n') && !/(^|[^\r])\n/.test(text);
        const state = EditorState.create({
            doc: text,
            extensions: [
                EditorState.lineSeparator.of(isCrLf ? '\r\n' : '\n'),
                EditorState.readOnly.of(readOnly),
                EditorView.contentAttributes.of({ 'aria-label': label }),
                lineNumbers(),
                highlightActiveLineGutter(),
                highlightSpecialChars({
                    specialChars: new RegExp(
                        UNSEEN.source.replace('\\u000a-', '\\u000b\\u000c\\u000e-'),
                        'gu',
                    ),
                }),
                history(),
                codeFolding(),
                foldGutter(),
                drawSelection(),
                indentOnInput(),
                bracketMatching(),
                highlightActiveLine(),
                highlightSelectionMatches(),
                search({ top: true }),
                this.#language.of([]),
                indentUnit.of(/^(?: {2,8}|\t)(?=\S)/m.exec(text)?.[0] ?? '    '),
                syntaxHighlighting(colours),
                lintGutter(),
                EditorView.lineWrapping,
                look,
                // Tab writes; Escape, then Tab, leaves: who has no mouse must get out.
                keymap.of([
                    ...defaultKeymap,
                    ...historyKeymap,
                    ...searchKeymap,
                    ...foldKeymap,
                    indentWithTab,
                ]),
                EditorView.updateListener.of((update) => {
                    const typed = update.transactions.some(
                        (transaction) => transaction.docChanged && !transaction.annotation(outside),
                    );
                    if (typed) changed(this.text);
                }),
            ],
        });
        this.#view = new EditorView({ state, parent: root, root });
    }

    /** The text, with the ends of lines as the file has them. */
    get text(): string {
        return this.#view.state.sliceDoc();
    }

    /** Shows another text, with as little change as it takes. */
    show(text: string): void {
        if (text === this.text) return;
        const { lineBreak } = this.#view.state;
        // Places are counted with one character for each end of a line.
        const [before, after] = [this.text, text].map((each) =>
            lineBreak === '\n' ? each : each.replaceAll(lineBreak, '\n'),
        ) as [string, string];
        const { at, removed, added } = spliceOf(before, after);
        this.#view.dispatch({
            changes: { from: at, to: at + removed.length, insert: added.replaceAll('\n', lineBreak) },
            annotations: outside.of(true),
        });
    }

    /** Colours the text as one of this language. */
    speak(language: Extension): void {
        this.#view.dispatch({ effects: this.#language.reconfigure(language) });
    }

    /** Shows what is wrong, where it is. */
    mark(marks: readonly Mark[]): void {
        const { doc } = this.#view.state;
        const diagnostics = marks.map((mark): Diagnostic => {
            const [from, to] = placeOf(doc, mark);
            return { from, to, severity: mark.isError ? 'error' : 'warning', message: mark.message };
        });
        this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
    }

    /** Goes to a place. */
    goTo(mark: Pick<Mark, 'line' | 'column'>): void {
        const [from] = placeOf(this.#view.state.doc, mark);
        this.#view.dispatch({
            selection: { anchor: from },
            effects: EditorView.scrollIntoView(from, { y: 'center' }),
        });
        this.#view.focus();
    }

    destroy(): void {
        this.#view.destroy();
    }
}

/** From a place to the end of its word or line. */
function placeOf(doc: Text, { line, column }: Pick<Mark, 'line' | 'column'>): [number, number] {
    const { from, to, text } = doc.line(Math.max(1, Math.min(line, doc.lines)));
    // Columns count characters, the editor counts their halves.
    const before = [...text].slice(0, Math.max(0, column - 1)).join('').length;
    const start = Math.min(to, column > 0 ? from + before : from + (text.length - text.trimStart().length));
    const word = /^<?\/?[\w.-]+>?/.exec(text.slice(start - from))?.[0].length ?? to - start;
    return [start, Math.max(start, Math.min(to, start + word))];
}
