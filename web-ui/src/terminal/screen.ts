// A terminal in the page: xterm.js, loaded when the first one is wanted, and kept within our content policy.

import type { FitAddon } from '@xterm/addon-fit';
import type { SearchAddon } from '@xterm/addon-search';
import type { ITheme, Terminal } from '@xterm/xterm';

import { whenTheme } from '../state/theme.svelte';

export interface Screen {
    readonly terminal: Terminal;
    readonly fit: FitAddon;
    readonly search: SearchAddon;
    close(): void;
}

/** Lines that can be scrolled back to. */
const SCROLLBACK = 10_000;

/** Opens a terminal in an element. `columns` and `rows` where its size is not that of the element. */
export async function open(
    element: HTMLElement,
    { isReadOnly, size }: { isReadOnly: boolean; size?: { columns: number; rows: number } },
): Promise<Screen> {
    const [{ Terminal }, { FitAddon }, { SearchAddon }] = await Promise.all([
        import('@xterm/xterm'),
        import('@xterm/addon-fit'),
        import('@xterm/addon-search'),
        import('@xterm/xterm/css/xterm.css'),
    ]);
    const sheets: CSSStyleSheet[] = [];
    const terminal = new Terminal({
        allowProposedApi: true,
        convertEol: false,
        cursorBlink: false,
        cursorInactiveStyle: 'outline',
        disableStdin: isReadOnly,
        fontFamily: getComputedStyle(element).getPropertyValue('--machine'),
        fontSize: 13,
        // A screen reader hears what the device says.
        screenReaderMode: true,
        scrollback: SCROLLBACK,
        theme: theme(element),
        ...(size ? { cols: size.columns, rows: size.rows } : {}),
    });
    const [fit, search] = [new FitAddon(), new SearchAddon()];
    terminal.loadAddon(fit);
    terminal.loadAddon(search);
    lawfully(sheets, () => terminal.open(element));
    const unwatch = whenTheme(() => (terminal.options.theme = theme(element)));
    return {
        terminal,
        fit,
        search,
        close() {
            unwatch();
            terminal.dispose();
            document.adoptedStyleSheets = document.adoptedStyleSheets.filter(
                (sheet) => !sheets.includes(sheet),
            );
        },
    };
}

/** What a device may ask of its terminal: what it is, where the cursor is, which modes are set. */
const ASKED = [
    { final: 'c' },
    { prefix: '>', final: 'c' },
    { prefix: '=', final: 'c' },
    { final: 'n' },
    { prefix: '?', final: 'n' },
    { intermediates: '$', final: 'p' },
    { prefix: '?', intermediates: '$', final: 'p' },
    { final: 't' },
];
/** Colours that it may ask for. */
const ASKED_COLOURS = [4, 10, 11, 12];

/**
 * Lets the terminal answer what the device asks of it only while that holds. All who look at a device see the question, and see it again in
 * what was said before they came: each answer would be typed.
 */
export function answerOnly({ parser }: Terminal, holds: () => boolean): void {
    for (const asked of ASKED) parser.registerCsiHandler(asked, () => !holds());
    parser.registerDcsHandler({ intermediates: '$', final: 'q' }, () => !holds());
    for (const colour of ASKED_COLOURS) {
        parser.registerOscHandler(colour, (data) => data.includes('?') && !holds());
    }
}

/**
 * Does something in which `document.createElement('style')` gives an element whose text becomes a constructed style sheet.
 * xterm writes the sizes of its cells and the colours of its theme into `<style>` elements that it makes when it is opened;
 * a policy without `unsafe-inline` forbids these, and allows sheets that a script constructs.
 */
function lawfully(sheets: CSSStyleSheet[], act: () => void): void {
    const make = document.createElement.bind(document);
    const lawful = (name: string, options?: ElementCreationOptions): HTMLElement => {
        if (name !== 'style') return make(name, options);
        const sheet = new CSSStyleSheet();
        sheets.push(sheet);
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
        const element = make('span');
        element.hidden = true;
        const set = (text: string): void => void sheet.replaceSync(text);
        Object.defineProperty(element, 'textContent', { set, get: () => '' });
        return element;
    };
    // The document's own method is on its prototype: what is set here hides it, and goes away again.
    Object.defineProperty(document, 'createElement', { value: lawful, configurable: true });
    try {
        act();
    } finally {
        Reflect.deleteProperty(document, 'createElement');
    }
}

/** The page's colours: those of the log, so that red is the same red. */
function theme(element: HTMLElement): ITheme {
    const probe = document.createElement('span');
    probe.hidden = true;
    element.append(probe);
    const token = (name: string): string => {
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color;
    };
    const colour = (number: number): string => token(`--ansi-${number}`);
    const found: ITheme = {
        background: token('--surface'),
        foreground: token('--ink'),
        cursor: token('--ink'),
        cursorAccent: token('--surface'),
        selectionBackground: token('--chosen'),
        black: colour(0),
        red: colour(1),
        green: colour(2),
        yellow: colour(3),
        blue: colour(4),
        magenta: colour(5),
        cyan: colour(6),
        white: colour(7),
        brightBlack: colour(8),
        brightRed: colour(9),
        brightGreen: colour(10),
        brightYellow: colour(11),
        brightBlue: colour(12),
        brightMagenta: colour(13),
        brightCyan: colour(14),
        brightWhite: colour(15),
    };
    probe.remove();
    return found;
}
