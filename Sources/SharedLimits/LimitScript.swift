/// What the store does with buckets, in its own language: one call decides all that a request has.
///
/// Its first argument says what is wanted:
///
/// - `decide`: the keys but the first are buckets, each with four arguments. What counts is written only if no bucket that
///   is enforced refuses; a bucket that is `always` counted is, whatever the others say, and one that only warns stops none.
///   Answers the time, then for each bucket 1 or 0, a wait in microseconds and how far it is used up (`SharedDecision`).
/// - `refund`: gives back what one request took of each bucket, if it was allowed and not used.
/// - `beat`: a gateway lives, and so do the leases that it names. Answers how many gateways do.
///
/// Time is the server's alone, in microseconds since 2023-11-14, which leaves room for parts of one in a double. A rate is
/// GCRA: its key holds the theoretical arrival time and the numbers under which it is; under other numbers, as after a
/// reload, the same part of the burst is used and as many requests wait. Concurrency is a sorted set of leases by their
/// ends. Ended ones are taken out where there is no room, but not soon after gateways could not tell that they live: the
/// store was away then, and whoever holds a lease must first be able to say so.
package enum LimitScript {
  package static let text: StaticString = """
    local clock = redis.call('TIME')
    local now = (clock[1] - 1700000000) * 1000000 + clock[2]
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

    local function decide()
      local refused, allowed, reply = false, {}, {now}
      for i = 2, #KEYS do
        local a = 4 * i - 6
        local kind, key = ARGV[a], KEYS[i]
        local ok, wait, used
        if string.sub(kind, 1, 1) == 'r' then
          local interval, burst = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
          used = ahead(key, ARGV[a + 1], ARGV[a + 2])
          wait = math.max(0, used + interval - interval * burst)
          ok = wait <= tonumber(ARGV[a + 3])
          if ok then used = used + interval end
        else
          local most = tonumber(ARGV[a + 1])
          used = redis.call('ZCARD', key)
          if used >= most and mayEnd(KEYS[1]) then
            redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
            used = redis.call('ZCARD', key)
          end
          wait, ok = 0, used < most
          if ok then used = used + 1 end
        end
        allowed[i] = ok
        if not ok and string.sub(kind, 2, 2) ~= 'w' then refused = true end
        reply[3 * i - 4] = ok and 1 or 0
        reply[3 * i - 3] = math.ceil(wait)
        reply[3 * i - 2] = math.ceil(used)
        if ok and string.sub(kind, 1, 1) == 'r' then allowed[i] = used end
      end
      for i = 2, #KEYS do
        local a = 4 * i - 6
        local kind, key = ARGV[a], KEYS[i]
        if allowed[i] and (not refused or string.sub(kind, 2, 2) == 'a') then
          if string.sub(kind, 1, 1) == 'r' then
            store(key, ARGV[a + 1], ARGV[a + 2], allowed[i])
          else
            redis.call('ZADD', key, now + LEASE, ARGV[a + 2])
            keep(key, LEASE / 1000 + SLACK)
          end
        end
      end
      return reply
    end

    local function refund()
      for i = 2, #KEYS do
        local interval, burst = ARGV[2 * i - 2], ARGV[2 * i - 1]
        local d = ahead(KEYS[i], interval, burst) - tonumber(interval)
        if d > 0 then store(KEYS[i], interval, burst, d) else redis.call('DEL', KEYS[i]) end
      end
      return 1
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
    if wanted == 'refund' then return refund() end
    if wanted == 'beat' then return beat() end
    return redis.error_reply('ERR unknown wish')
    """

  /// How long a lease lasts beyond its last renewal, as the script has it; nanoseconds.
  package static let lease: Int64 = 10_000_000_000
}
