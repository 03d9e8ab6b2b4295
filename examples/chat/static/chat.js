// The page of the chat. What others wrote only ever goes through `textContent`, so it stays text.

import { Session, wording } from "./session.js";

const $ = (id) => document.getElementById(id);
const TYPING = 3_000; // milliseconds for which somebody counts as typing who does not say it again

// A secret of this tab: who comes back with it is the same member.
const KEY = (sessionStorage.member ??= crypto.getRandomValues(new Uint32Array(4)).join("-"));

const chat = { you: "", room: "", members: new Map(), isNew: true, session: null, typing: new Map(), toldTyping: 0 };

// Connecting

function connect() {
  const url = new URL(`/rooms/${encodeURIComponent(chat.room)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("name", chat.you);
  url.searchParams.set("key", KEY);
  chat.isNew = true;
  chat.session = new Session(url, {
    opening: () => show("connecting", "connecting"),
    heard,
    lost: disconnected,
    ended: enterAgain,
  });
}

function disconnected(why, wait) {
  chat.members.clear();
  show("offline", `${why}, trying again in ${Math.ceil(wait / 1000)} s`);
  if (!chat.isNew) return;
  chat.session.mark = null; // what was said before we came is not all here yet: begin anew
  $("messages").replaceChildren();
}

function show(state, text) {
  $("state").dataset.state = state;
  $("state").textContent = text;
  $("send").disabled = state !== "online";
}

// What the server says

function heard(message) {
  switch (message.type) {
    case "entered":
      return entered(message);
    case "recovered": // what was missed follows; unless it is not all there any more: then what is there is fetched
      return message.complete || lost("What was said meanwhile is not all here.", message.mark);
    case "gap": // others are of those who type, and do no harm
      return message.group === `room:${chat.room}` && lost("Something that was said is not here.");
    case "presence":
      return showPresence(message);
    case "said":
      forgetTyping(message.name);
      return append(said(message));
    case "is_typing":
      return showTyping(message.name);
    case "error":
      return note(wording(message), "bad");
  }
}

async function entered({ room, you, since }) {
  callMe(you);
  show("online", "online");
  chat.session.mark ??= since; // something that is newer may have been heard already
  if (!chat.isNew) return;
  note(`You are in ${room} as ${you}.`);
  chat.isNew = !(await attempt(fetchEarlier(since)));
}

function lost(text, mark) {
  const gap = note(text, "bad");
  if (!mark) return;
  chat.session.mark = mark;
  attempt(fetchEarlier(mark, gap));
}

async function fetchEarlier(until, gap) {
  const found = [];
  await chat.session.ask({ type: "earlier", until }, (message) => found.unshift(message));
  const list = $("messages");
  const below = list.scrollHeight - list.scrollTop;
  if (gap) gap.after(...found.map(said));
  else list.prepend(...found.map(said));
  list.scrollTop = list.scrollHeight - below; // what was seen stays where it was
}

function showPresence({ joined, left }) {
  const isList = chat.members.size === 0; // the first one has everybody who is there
  for (const { user, info } of joined) {
    const was = chat.members.get(user);
    chat.members.set(user, info.name);
    if (isList || was === info.name) continue;
    note(was === undefined ? `${info.name} joined.` : `${was} is now ${info.name}.`);
    forgetTyping(was);
  }
  for (const { user, info } of left) {
    chat.members.delete(user);
    forgetTyping(info.name);
    note(`${info.name} left.`);
  }
  showMembers();
}

function callMe(name) {
  chat.you = name;
  chat.session.url.searchParams.set("name", name);
  sessionStorage.setItem("name", name);
  showMembers();
}

// What the user does: an answer that is an error is shown.

async function attempt(answer) {
  try {
    await answer;
    return true;
  } catch (error) {
    note(error.message, "bad");
    return false;
  }
}

async function say(text) {
  $("text").value = "";
  chat.toldTyping = 0;
  if (!(await attempt(chat.session.ask({ type: "say", text })))) $("text").value ||= text;
}

async function rename(name) {
  if (!(await attempt(chat.session.ask({ type: "rename", name })))) return;
  $("newname").value = "";
  callMe(name);
}

function tellTyping() {
  if (Date.now() - chat.toldTyping < TYPING / 2) return;
  chat.toldTyping = Date.now();
  chat.session.send({ type: "typing" });
}

// What is seen

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function face(name) {
  const made = element("span", "face", [...name][0].toUpperCase());
  made.style.setProperty("--hue", [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7));
  made.setAttribute("aria-hidden", "true");
  return made;
}

function said({ name, text, at }) {
  const item = element("li", name === chat.you ? "message mine" : "message");
  const by = element("div", "by", name);
  const time = element("time", "", new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = at;
  by.append(time);
  const bubble = element("div", "bubble");
  bubble.append(by, element("div", "text", text));
  item.append(face(name), bubble);
  return item;
}

function note(text, kind = "") {
  return append(element("li", `note ${kind}`.trim(), text));
}

function append(item) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80; // who reads further up is left there
  list.append(item);
  while (list.children.length > 500) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
  return item;
}

function showMembers() {
  $("count").textContent = chat.members.size;
  $("members").replaceChildren(
    ...[...chat.members.values()].sort().map((name) => {
      const item = element("li", "");
      item.append(face(name), element("span", name === chat.you ? "you" : "", name));
      return item;
    }),
  );
}

function showTyping(name) {
  clearTimeout(chat.typing.get(name));
  chat.typing.set(name, setTimeout(forgetTyping, TYPING, name));
  tellWhoTypes();
}

function forgetTyping(name) {
  clearTimeout(chat.typing.get(name));
  if (chat.typing.delete(name)) tellWhoTypes();
}

function tellWhoTypes() {
  const names = [...chat.typing.keys()];
  $("typing").textContent = names.length === 0 ? "" : `${names.join(", ")} ${names.length === 1 ? "is" : "are"} typing`;
}

// Coming and going

function enter(name, room) {
  Object.assign(chat, { you: name, room });
  sessionStorage.setItem("name", name);
  location.hash = encodeURIComponent(room);
  document.title = $("title").textContent = `#${room}`;
  $("messages").replaceChildren();
  $("entry").hidden = true;
  $("chat").hidden = false;
  connect();
  $("text").focus();
}

function enterAgain(reason = "") {
  chat.session.close();
  chat.session = null;
  [...chat.typing.keys()].forEach(forgetTyping);
  sessionStorage.removeItem("name");
  chat.members.clear();
  $("chat").hidden = true;
  $("entry").hidden = false;
  $("refusal").hidden = !reason;
  $("refusal").textContent = reason;
  $("name").value = chat.you;
  $("name").focus();
}

function submitted(form, field, act) {
  $(form).onsubmit = (event) => {
    event.preventDefault();
    const text = $(field).value.trim();
    if (text) act(text);
  };
}

submitted("join", "name", (name) => enter(name, $("room").value));
submitted("say", "text", say);
submitted("rename", "newname", rename);
$("text").oninput = tellTyping;
$("text").onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!$("send").disabled) $("say").requestSubmit();
};
$("leave").onclick = () => enterAgain();
addEventListener("online", () => $("state").dataset.state === "offline" && chat.session?.open());

function roomOfAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

const [room, name] = [roomOfAddress(), sessionStorage.getItem("name")];
if (room) $("room").value = room;
if (room && name) enter(name, room);
