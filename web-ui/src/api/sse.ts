// Server-sent events over `fetch`: unlike `EventSource` it says why it was refused, and shows the lines that only keep
// the connection, so that a silent one is known to be dead.

/** One event. */
export type ServerEvent = { id: string; name: string; data: string };

/** Cuts a stream of text into events; give it each piece as it comes. */
export class EventCutter {
    #rest = '';

    /** The events that this piece completes. */
    push(piece: string): ServerEvent[] {
        const blocks = (this.#rest + piece).split('\n\n');
        this.#rest = blocks.pop() ?? '';
        return blocks.map(eventOf).filter((event) => event !== undefined);
    }
}

/** The event of a block of lines; nothing where it is a comment. */
function eventOf(block: string): ServerEvent | undefined {
    const event = { id: '', name: 'message', data: '' };
    let any = false;
    for (const line of block.split('\n')) {
        const colon = line.indexOf(':');
        if (colon <= 0) continue;
        const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
        const field = line.slice(0, colon);
        if (field === 'id') event.id = value;
        else if (field === 'event') event.name = value;
        else if (field === 'data') event.data = event.data === '' ? value : `${event.data}\n${value}`;
        any = true;
    }
    return any ? event : undefined;
}
