"""What runs inside of a Redis, each in one go: numbering, keeping, reading, and who is alive.

A channel is a hash: `e` its epoch, `o` the offset of the last message, `g` that of the last one that was not kept, `r` the run
of the server that numbered it. What is kept of it is a stream, with entries `offset-until`: `until` is the time, in
milliseconds, at which an entry is too old, or 0. Its name is the channel's name for pub/sub too.

A server that was started again, and a replica that took over, may have lost the last messages: then the offsets would be given
twice, and nobody would know. So another run of the server begins another epoch. What it still has of the stream can be read.
"""

from __future__ import annotations

from hashlib import sha1
from typing import Any, Final, NamedTuple

from .engine import Arrival, Page, Position


class Script(NamedTuple):
    """A script, and the name under which a server knows it."""

    text: bytes
    digest: bytes


def _script(text: str) -> Script:
    source = text.encode()
    return Script(source, sha1(source, usedforsecurity=False).hexdigest().encode())


_NUMBERING: Final = """
-- The server itself says which run it is: whoever asks may have been connected to another one a moment ago.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''

local function begun()
  local time = redis.call('TIME')
  return string.format('%x%05x', time[1], time[2]) .. string.sub(run, 1, 6)
end

-- Epoch and offset; nothing is written for a channel that is not there.
local function numbering()
  local found = redis.call('HMGET', KEYS[1], 'e', 'o', 'r')
  if not found[1] then return begun(), 0, true end
  if found[3] ~= run then
    found[1] = begun()
    redis.call('HSET', KEYS[1], 'e', found[1], 'r', run)
  end
  return found[1], tonumber(found[2]), false
end

-- The same, for one that will be there from now on. A key is renewed when half of its time is over: one write in hours, not one
-- in each call.
local function established(seconds)
  local epoch, offset, is_new = numbering()
  if is_new then
    redis.call('HSET', KEYS[1], 'e', epoch, 'o', 0, 'g', 0, 'r', run)
    redis.call('EXPIRE', KEYS[1], seconds)
    redis.call('DEL', KEYS[2])
  else
    local left = redis.call('TTL', KEYS[1])
    if left >= 0 and left * 2 < seconds then redis.call('EXPIRE', KEYS[1], seconds) end
  end
  return epoch, offset
end

local function placed(epoch, offset) return epoch .. ' ' .. string.format('%.0f', offset) end

local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Forget what is too old. Looks at one entry where there is nothing to do.
local function expire()
  local now, count = milliseconds(), 1
  while true do
    local page = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', count)
    for number, entry in ipairs(page) do
      local til = tonumber(string.match(entry[1], '-(%d+)'))
      if til == 0 or til > now then
        if number > 1 then redis.call('XTRIM', KEYS[2], 'MINID', entry[1]) end
        return
      end
    end
    if #page < count then redis.call('DEL', KEYS[2]) return end
    redis.call('XTRIM', KEYS[2], 'MINID', tonumber(string.match(page[#page][1], '%d+')) + 1)
    count = 64
  end
end
"""

_PUBLISH: Final = """
local seconds, data, size, age = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local epoch, offset = established(seconds)
offset = offset + 1
if size then
  local til = 0
  if age ~= '0' then til = milliseconds() + age end
  redis.call('HSET', KEYS[1], 'o', offset)
  redis.call('XADD', KEYS[2], 'MAXLEN', '=', size, string.format('%.0f-%.0f', offset, til), 'd', data)
  local left = redis.call('PTTL', KEYS[2])
  if til == 0 then
    if left >= 0 then redis.call('PERSIST', KEYS[2]) end
    redis.call('PERSIST', KEYS[1])
  else
    if left < tonumber(age) then redis.call('PEXPIRE', KEYS[2], age * 2) end
    if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], seconds) end
    if offset % 64 == 0 then expire() end
  end
else
  redis.call('HSET', KEYS[1], 'o', offset, 'g', offset)
end
local place = placed(epoch, offset)
redis.call('VERB', KEYS[1], place .. '\\n' .. data)
return place
"""

PUBLISH: Final = _script(_NUMBERING + _PUBLISH.replace("VERB", "PUBLISH"))
"""Number a message, keep it and hand it out. Keys: channel, stream; seconds that the numbering lives, data, and for what is kept:
how many, and milliseconds or 0. The place of the message."""

PUBLISH_SHARDED: Final = _script(_NUMBERING + _PUBLISH.replace("VERB", "SPUBLISH"))
"""The same in a cluster."""

PLACE: Final = _script(_NUMBERING + "return {'place', ARGV[2], placed(established(tonumber(ARGV[1])))}")
"""Where a channel stands; it is there from now on. Keys: channel, stream; seconds that the numbering lives, and a token that the
answer carries, between the word `place` and the place: it is told apart from the messages that come over the same connection."""

READ: Final = _script(
    _NUMBERING
    + """
local epoch, offset, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now, top = numbering()
expire()
local from, is_complete = '-', true
if epoch ~= '' then
  if epoch ~= now or offset > top then return {placed(now, top), 0} end
  from = string.format('%.0f', offset + 1)
  is_complete = offset == top
  if not is_complete and offset >= tonumber(redis.call('HGET', KEYS[1], 'g')) then
    local first = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 1)[1]
    is_complete = first ~= nil and string.match(first[1], '%d+') == from
  end
end
local found
if limit < 0 then found = redis.call('XRANGE', KEYS[2], from, '+')
else found = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', limit) end
local answer = {placed(now, top), is_complete and 1 or 0}
for number, entry in ipairs(found) do
  answer[2 * number + 1] = entry[1]
  answer[2 * number + 2] = entry[2][2]
end
return answer
"""
)
"""What is kept. Keys: channel, stream; epoch or nothing, offset, limit or -1. Place of the channel, whether it is complete, then
entry and data by turns."""

RENEW: Final = _script(
    """
local time = redis.call('TIME')
local length = tonumber(ARGV[2])
if length <= 0 then return redis.call('ZREM', KEYS[1], ARGV[1]) end
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + length, ARGV[1])
if redis.call('PTTL', KEYS[1]) < length then redis.call('PEXPIRE', KEYS[1], length * 2) end
return 1
"""
)
"""A process is alive. Key: all of them; its name, milliseconds."""

ALIVE: Final = _script(
    """
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
)
"""Those that are alive. Key: all of them."""


def position(place: bytes) -> Position:
    """A place as the scripts write it."""
    epoch, _, offset = place.partition(b" ")
    return Position(epoch.decode(), int(offset))


def arrival(channel: str, payload: bytes) -> Arrival:
    """A message as pub/sub brings it."""
    place, _, data = payload.partition(b"\n")
    here = position(place)
    return Arrival(channel, data, here, here.offset - 1)


def page(reply: list[Any]) -> Page:
    """What `READ` answers."""
    place, is_complete, *rest = reply
    entries = [(int(entry.partition(b"-")[0]), data) for entry, data in zip(rest[::2], rest[1::2], strict=True)]
    return Page(entries, position(place), bool(is_complete))
