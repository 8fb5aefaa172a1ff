/// What the store does with buckets, in its own language: one call decides all that a request has.
///
/// Its first argument says what is wanted:
///
/// - `decide`: the keys but the first are buckets, each with four arguments. What counts is written only if no bucket that
///   is enforced refuses; a bucket that is `always` counted is, whatever the others say, and one that only warns stops none.
///   Answers the time, then for each bucket 1 or 0, a wait in microseconds and how far it is used up (`SharedDecision`).
///   A budget is the last bucket, and is asked only for a request that nothing else refuses or lets wait.
/// - `look`: what became of a request that waits for its turn in a budget. Answers as `decide` does.
/// - `giveBack`: a turn in a budget was not used.
/// - `throttled`: upstream answered 429.
/// - `beat`: a gateway lives, and so do the leases that it names. Answers how many gateways do.
///
/// Time is the server's alone, in microseconds since 2023-11-14, which leaves room for parts of one in a double. A rate is
/// GCRA: its key holds the theoretical arrival time and the numbers under which it is; under other numbers, as after a
/// reload, the same part of the burst is used and as many requests wait. Concurrency is a sorted set of leases by their
/// ends. Ended ones are taken out where there is no room, but not soon after gateways could not tell that they live: the
/// store was away then, and whoever holds a lease must first be able to say so.
package enum LimitScript {
  package static let text: [UInt8] = Array([clock, BudgetScript.text, buckets].joined(separator: "\n").utf8)

  private static let clock = """
    local clock = redis.call('TIME')
    local now = (clock[1] - 1700000000) * 1000000 + clock[2]
    local CENTURY = 3.15e15
    """

  private static let buckets = """
    local LEASE, SEEN, GRACE, SLACK = 10000000, 4000000, 3000000, 1000
    local RATE, BUDGET, ALWAYS, WARNS = string.byte('rbaw', 1, 4)

    -- How far the time in a bucket is ahead of now, under these numbers.
    local function ahead(key, interval, burst)
      local stored = redis.call('GET', key)
      if not stored then return 0 end
      if #stored ~= 24 then error('the value of a bucket is none of ours') end
      local time, i, b = struct.unpack('ddd', stored)
      local d = time - now
      if d <= 0 then return 0 end
      if i == interval and b == burst then return d end
      local most = i * b
      return math.min(d, most) / most * interval * burst + math.max(0, d - most) / i * interval
    end

    -- Requests in flight, without those that ended, where there would be no room otherwise.
    local function inFlight(key, most)
      local count = redis.call('ZCARD', key)
      if count < most then return count end
      local since = redis.call('HGET', KEYS[1], 'since')
      if not since or now - since < GRACE then return count end
      redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
      return redis.call('ZCARD', key)
    end

    local function askBudget(i, reply, mayAsk)
      local a, key = 4 * i - 6, KEYS[i]
      openBudget(key, ARGV[a + 1])
      if not mayAsk then
        tell(reply, UNASKED, 0, 0)
        return false
      end
      local warns = ARGV[a] == 'bw'
      local turn, wait, ticket = ask(ARGV[a + 2], tonumber(ARGV[a + 3]), warns)
      saveBudget(key)
      tell(reply, turn, wait, ticket)
      return turn == REFUSED and not warns
    end

    local function decide()
      local mayAsk, refused, levels, reply = true, false, {}, {now}
      local count = #KEYS
      for i = 2, count do
        local a = 4 * i - 6
        local kind, charge = string.byte(ARGV[a], 1, 2)
        if kind == BUDGET then
          refused = askBudget(i, reply, mayAsk) or refused
        else
          local ok, wait, used
          if kind == RATE then
            local interval, burst = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
            used = ahead(KEYS[i], interval, burst)
            wait = math.max(0, used + interval - interval * burst)
            ok = wait <= tonumber(ARGV[a + 3])
            if ok then used = used + interval end
          else
            local most = tonumber(ARGV[a + 1])
            used, wait = inFlight(KEYS[i], most), 0
            ok = used < most
            if ok then used = used + 1 end
          end
          levels[i] = ok and used
          if charge ~= WARNS then
            refused = refused or not ok
            mayAsk = mayAsk and ok and wait == 0
          end
          local size = #reply
          reply[size + 1], reply[size + 2], reply[size + 3] = ok and 1 or 0, math.ceil(wait), math.ceil(used)
        end
      end
      for i = 2, count do
        local a, used = 4 * i - 6, levels[i]
        local kind, charge = string.byte(ARGV[a], 1, 2)
        if used and (not refused or charge == ALWAYS) then
          if kind == RATE then
            local value = struct.pack('ddd', now + used, tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]))
            redis.call('SET', KEYS[i], value, 'PX', math.ceil(used / 1000) + SLACK)
          else
            redis.call('ZADD', KEYS[i], now + LEASE, ARGV[a + 2])
            redis.call('PEXPIRE', KEYS[i], LEASE / 1000 + SLACK)
          end
        end
      end
      return reply
    end

    local function beat()
      local run, gateways = KEYS[1], KEYS[2]
      local last = redis.call('HGET', run, 'last')
      if not last or now - tonumber(last) > SEEN then redis.call('HSET', run, 'since', now) end
      redis.call('HSET', run, 'last', now)
      redis.call('PEXPIRE', run, 60000)
      redis.call('ZADD', gateways, now, ARGV[2])
      redis.call('ZREMRANGEBYSCORE', gateways, '-inf', now - SEEN)
      redis.call('PEXPIRE', gateways, 60000)
      local a = 3
      for i = 3, #KEYS do
        for m = a + 1, a + tonumber(ARGV[a]) do redis.call('ZADD', KEYS[i], now + LEASE, ARGV[m]) end
        redis.call('PEXPIRE', KEYS[i], LEASE / 1000 + SLACK)
        a = a + 1 + tonumber(ARGV[a])
      end
      return redis.call('ZCARD', gateways)
    end

    local wanted = ARGV[1]
    if wanted == 'decide' then return decide() end
    if wanted == 'beat' then return beat() end
    if wanted == 'look' then
      openBudget(KEYS[2], ARGV[2])
      local reply = tell({now}, look(ARGV[3], tonumber(ARGV[4])))
      saveBudget(KEYS[2])
      return reply
    end
    if wanted == 'giveBack' or wanted == 'throttled' then
      openBudget(KEYS[2], ARGV[2], true)
      if wanted == 'giveBack' then giveBack(ARGV[3]) else throttled() end
      saveBudget(KEYS[2])
      return 1
    end
    return redis.error_reply('ERR unknown wish')
    """

  /// How long a lease lasts beyond its last renewal, as the script has it; nanoseconds.
  package static let lease: Int64 = 10_000_000_000
}
