// One session with the server, in the frames of docs/reference/wire.md: questions find their answers, and what breaks comes back
// where it was.

const FIRST_WAIT = 500; // milliseconds before the first try to reconnect; each further wait is twice as long
const LONGEST_WAIT = 10_000;
const FOR_GOOD = new Set([1000, 1008, 1009]); // closes after which the same try would only fail again

// What an error says, for people.
export function wording({ message, errors = [] }) {
  return errors.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join(", ") || message;
}

export class Session {
  #socket = null;
  #asked = new Map(); // by `ref`: what is to be done with the answer
  #lastRef = 0;
  #failures = 0;
  #hint = 0; // milliseconds; what the server asked for before it went away
  #timer = 0;

  // `heard` takes each frame that nobody asked for, `lost` the reason and milliseconds until the next try, `ended` a reason.
  constructor(url, { opening, heard, lost, ended }) {
    Object.assign(this, { url, opening, heard, lost, ended });
    this.open();
  }

  open() {
    clearTimeout(this.#timer);
    this.opening();
    const socket = (this.#socket = new WebSocket(this.url));
    socket.onmessage = ({ data }) => socket === this.#socket && this.#arrived(JSON.parse(data));
    socket.onclose = (event) => socket === this.#socket && this.#closed(event);
  }

  close() {
    const socket = this.#socket;
    this.#forget();
    clearTimeout(this.#timer);
    socket?.close();
  }

  send(frame) {
    const isOpen = this.#socket?.readyState === WebSocket.OPEN;
    if (isOpen) this.#socket.send(JSON.stringify(frame));
    return isOpen;
  }

  // The place up to which everything was heard: the next session goes on from there.
  get mark() {
    return this.url.searchParams.get("recover");
  }

  set mark(mark) {
    if (mark) this.url.searchParams.set("recover", mark);
    else this.url.searchParams.delete("recover");
  }

  // The answer, or an Error; `item` takes each item of a stream.
  ask(frame, item) {
    return new Promise((resolve, reject) => {
      const ref = ++this.#lastRef;
      if (this.send({ ...frame, ref })) this.#asked.set(ref, { resolve, reject, item });
      else reject(new Error("no connection"));
    });
  }

  #arrived(frame) {
    this.#failures = 0;
    if (frame.mark && frame.type !== "recovered") this.mark = frame.mark;
    if (frame.type === "going_away") this.#hint = frame.reconnect_after * 1000;
    else if (frame.re !== undefined) this.#answered(frame);
    else if (frame.ref === undefined) this.heard(frame);
    else this.send({ type: "error", code: "unknown_type", message: "this page answers no questions", re: frame.ref });
  }

  #answered(frame) {
    const asked = this.#asked.get(frame.re);
    if (!asked) return;
    if (asked.item && frame.type !== "end" && frame.type !== "error") return asked.item(frame);
    this.#asked.delete(frame.re);
    if (frame.type === "error") asked.reject(new Error(wording(frame)));
    else asked.resolve(frame);
  }

  #closed({ code, reason }) {
    this.#forget();
    if (FOR_GOOD.has(code)) return this.ended(reason);
    // Somewhere between half the wait and all of it, so that the pages of a restarted server do not come all at once.
    const wait = Math.min(FIRST_WAIT * 2 ** this.#failures++, LONGEST_WAIT) * (0.5 + Math.random() / 2);
    const longest = Math.max(wait, this.#hint); // the server has put the chance into its hint already
    this.#hint = 0;
    this.#timer = setTimeout(() => this.open(), longest);
    this.lost({ 1012: "the server restarts", 1013: reason || "try again later" }[code] ?? "no connection", longest);
  }

  #forget() {
    this.#socket = null;
    for (const { reject } of this.#asked.values()) reject(new Error("the connection was lost"));
    this.#asked.clear();
  }
}
