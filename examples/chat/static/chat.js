// The page of the chat. What others wrote only ever goes through `textContent`, so it stays text.

const $ = (id) => document.getElementById(id);
const FIRST_WAIT = 500; // milliseconds before the first try to reconnect; each further wait is twice as long
const LONGEST_WAIT = 10_000;

const chat = { name: "", you: "", room: "", members: [], socket: null, failures: 0, timer: 0 };

// Connecting

function connect() {
  clearTimeout(chat.timer);
  show("connecting", "connecting");
  const url = new URL(`/rooms/${encodeURIComponent(chat.room)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  chat.socket = socket;
  socket.onopen = () => send({ type: "join", name: chat.name });
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = (event) => socket === chat.socket && closed(event);
}

function closed({ code, reason }) {
  chat.socket = null;
  if (code === 1008) return enterAgain(reason); // the server refused what we sent: trying again would not help
  // Somewhere between half the wait and all of it, so that the pages of a restarted server do not come all at once.
  const wait = Math.min(FIRST_WAIT * 2 ** chat.failures++, LONGEST_WAIT) * (0.5 + Math.random() / 2);
  const why = { 1012: "the server restarts", 1013: reason || "try again later" }[code] ?? "no connection";
  show("offline", `${why}, trying again in ${Math.ceil(wait / 1000)} s`);
  chat.timer = setTimeout(connect, wait);
}

function send(message) {
  if (chat.socket?.readyState !== WebSocket.OPEN) return false;
  chat.socket.send(JSON.stringify(message));
  return true;
}

function show(state, text) {
  $("state").dataset.state = state;
  $("state").textContent = text;
  $("send").disabled = state !== "online";
}

// What the server says

function receive(message) {
  switch (message.type) {
    case "welcome":
      chat.failures = 0;
      chat.you = message.you;
      chat.members = message.members;
      $("messages").replaceChildren();
      message.history.forEach(said);
      show("online", "online");
      note(`You are in ${message.room} as ${message.you}.`);
      break;
    case "said":
      said(message);
      break;
    case "joined":
      chat.members.push(message.name);
      note(`${message.name} joined.`);
      break;
    case "left":
      chat.members.splice(chat.members.indexOf(message.name), 1);
      note(`${message.name} left.`);
      break;
    case "renamed":
      renamed(message);
      break;
    case "error":
      note(message.message, "bad");
      break;
  }
  if (message.type !== "said") showMembers();
}

function renamed({ name, was }) {
  chat.members[chat.members.indexOf(was)] = name;
  note(`${was} is now ${name}.`);
  if (was !== chat.you) return;
  chat.you = chat.name = name;
  sessionStorage.setItem("name", name);
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
  append(item);
}

function note(text, kind = "") {
  append(element("li", `note ${kind}`.trim(), text));
}

function append(item) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80; // who reads further up is left there
  list.append(item);
  while (list.children.length > 500) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function showMembers() {
  $("count").textContent = chat.members.length;
  $("members").replaceChildren(
    ...chat.members.map((name) => {
      const item = element("li", "");
      item.append(face(name), element("span", name === chat.you ? "you" : "", name));
      return item;
    }),
  );
}

// Coming and going

function enter(name, room) {
  Object.assign(chat, { name, room, failures: 0 });
  sessionStorage.setItem("name", name);
  location.hash = encodeURIComponent(room);
  document.title = $("title").textContent = `#${room}`;
  $("entry").hidden = true;
  $("chat").hidden = false;
  connect();
  $("text").focus();
}

function enterAgain(reason = "") {
  clearTimeout(chat.timer);
  const socket = chat.socket;
  chat.socket = null;
  socket?.close();
  sessionStorage.removeItem("name");
  $("messages").replaceChildren();
  $("chat").hidden = true;
  $("entry").hidden = false;
  $("refusal").hidden = !reason;
  $("refusal").textContent = reason;
  $("name").value = chat.name;
  $("name").focus();
}

$("join").onsubmit = (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  if (name) enter(name, $("room").value);
};

$("say").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text && send({ type: "say", text })) $("text").value = "";
};

$("text").onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("say").requestSubmit();
};

$("rename").onsubmit = (event) => {
  event.preventDefault();
  const name = $("newname").value.trim();
  if (name && send({ type: "rename", name })) $("newname").value = "";
};

$("leave").onclick = () => enterAgain();
addEventListener("online", () => chat.timer && chat.socket === null && !$("chat").hidden && connect());

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
