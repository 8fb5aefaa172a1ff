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

    local function keep(key, milliseconds)
      redis.call('PEXPIRE', key, string.format('%.0f', milliseconds))
    end

    -- How far the time in a bucket is ahead of now, under these numbers.
    local function ahead(key, interval, burst)
      local stored = redis.call('GET', key)
      if not stored then return 0 end
      local time, i, b = string.match(stored, '^(%-?[%d.]+) ([%d.]+) (%d+)$')
      if not time then error('the value of a bucket is none of ours') end
      local d = tonumber(time) - now
      if d <= 0 then return 0 end
      if i == interval and b == burst then return d end
      local old, most = tonumber(i), tonumber(i) * tonumber(b)
      local new = tonumber(interval)
      return math.min(d, most) / most * new * tonumber(burst) + math.max(0, d - most) / old * new
    end

    local function store(key, interval, burst, d)
      redis.call('SET', key, string.format('%.3f', now + d) .. ' ' .. interval .. ' ' .. burst,
        'PX', string.format('%.0f', math.ceil(d / 1000) + SLACK))
    end

    local function mayEnd(run)
      local since = redis.call('HGET', run, 'since')
      return since and now - tonumber(since) >= GRACE
    end

    -- A rate's wait and how far it is used up, with this request if there is room.
    local function askRate(key, interval, burst, queueFor)
      local used, each = ahead(key, interval, burst), tonumber(interval)
      local wait = math.max(0, used + each - each * tonumber(burst))
      local ok = wait <= queueFor
      return ok, wait, ok and used + each or used
    end

    -- The same for requests in flight.
    local function askPlaces(key, most)
      local used = redis.call('ZCARD', key)
      if used >= most and mayEnd(KEYS[1]) then
        redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
        used = redis.call('ZCARD', key)
      end
      local ok = used < most
      return ok, 0, ok and used + 1 or used
    end

    local function charge(kind, key, first, second, used)
      if kind == 'r' then return store(key, first, second, used) end
      redis.call('ZADD', key, now + LEASE, second)
      keep(key, LEASE / 1000 + SLACK)
    end

    local function decide()
      local mayAsk, refused, allowed, reply, budget = true, false, {}, {now}, nil
      for i = 2, #KEYS do
        local a = 4 * i - 6
        local kind, first, second, third = ARGV[a], ARGV[a + 1], ARGV[a + 2], tonumber(ARGV[a + 3])
        local ok, wait, used
        if string.sub(kind, 1, 1) == 'b' then
          budget = i
        else
          if string.sub(kind, 1, 1) == 'r' then
            ok, wait, used = askRate(KEYS[i], first, second, third)
          else
            ok, wait, used = askPlaces(KEYS[i], tonumber(first))
          end
          allowed[i] = ok and used
          if string.sub(kind, 2, 2) ~= 'w' then
            refused = refused or not ok
            mayAsk = mayAsk and ok and wait == 0
          end
          local size = #reply
          reply[size + 1], reply[size + 2], reply[size + 3] = ok and 1 or 0, math.ceil(wait), math.ceil(used)
        end
      end
      if budget then
        local a, key = 4 * budget - 6, KEYS[budget]
        openBudget(key, ARGV[a + 1])
        local turn, wait, ticket = UNASKED, 0, 0
        if mayAsk then
          local warns = ARGV[a] == 'bw'
          turn, wait, ticket = ask(ARGV[a + 2], tonumber(ARGV[a + 3]), warns)
          refused = turn == REFUSED and not warns
          saveBudget(key)
        end
        tell(reply, turn, wait, ticket)
      end
      for i, used in pairs(allowed) do
        local a = 4 * i - 6
        local kind = ARGV[a]
        if used and (not refused or string.sub(kind, 2, 2) == 'a') then
          charge(string.sub(kind, 1, 1), KEYS[i], ARGV[a + 1], ARGV[a + 2], used)
        end
      end
      return reply
    end

    local function beat()
      local run, gateways = KEYS[1], KEYS[2]
      local last = redis.call('HGET', run, 'last')
      if not last or now - tonumber(last) > SEEN then redis.call('HSET', run, 'since', now) end
      redis.call('HSET', run, 'last', now)
      keep(run, 60000)
      redis.call('ZADD', gateways, now, ARGV[2])
      redis.call('ZREMRANGEBYSCORE', gateways, '-inf', now - SEEN)
      keep(gateways, 60000)
      local a = 3
      for i = 3, #KEYS do
        for m = a + 1, a + tonumber(ARGV[a]) do redis.call('ZADD', KEYS[i], now + LEASE, ARGV[m]) end
        keep(KEYS[i], LEASE / 1000 + SLACK)
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
