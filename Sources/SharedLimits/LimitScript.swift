/// What the store does with buckets, in its own language: one call decides all that a request has.
///
/// Its first argument says what is wanted:
///
/// - `decide`: on some requests. The keys but the first are buckets, each with four arguments; each request names some of
///   them. What counts is charged only if no bucket that is enforced refuses; a bucket that is `always` counted is, whatever
///   the others say, and one that only warns stops none. A budget is a request's last bucket, and is asked only for one that
///   nothing else refuses or lets wait. Answers the time, then for each request 1 and how far its first bucket is used up,
///   if all let it pass at once; otherwise 0, then for each bucket 1 or 0, a wait in microseconds and how far it is used up,
///   and of a budget also what part of the rate is in force, and a ticket (`SharedDecision`).
/// - `look`: what became of a request that waits for its turn in a budget. Answers the time and a budget's numbers.
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

    -- Reads what the call is about: keys, each with four arguments. One key stands there once.
    local function readBuckets()
      local buckets = {}
      for i = 1, #KEYS - 1 do
        local a, key = 4 * i - 2, KEYS[i + 1]
        local kind, charge = string.byte(ARGV[a], 1, 2)
        local bucket = {kind = kind, charge = charge, key = key}
        if kind == RATE then
          local interval, burst = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
          bucket.interval, bucket.burst, bucket.queueFor = interval, burst, tonumber(ARGV[a + 3])
          bucket.used = ahead(key, interval, burst)
        elseif kind == BUDGET then
          openBudget(key, ARGV[a + 1])
          bucket.b, bucket.shortage = b, shortage
        else
          bucket.most, bucket.leases = tonumber(ARGV[a + 1]), {}
          bucket.used = inFlight(key, bucket.most)
        end
        buckets[i] = bucket
      end
      return buckets
    end

    local function writeBuckets(buckets)
      for _, bucket in ipairs(buckets) do
        if not bucket.isChanged then
          -- Nothing of it was taken.
        elseif bucket.kind == RATE then
          local value = struct.pack('ddd', now + bucket.used, bucket.interval, bucket.burst)
          redis.call('SET', bucket.key, value, 'PX', math.ceil(bucket.used / 1000) + SLACK)
        elseif bucket.kind == BUDGET then
          b = bucket.b
          saveBudget(bucket.key)
        else
          redis.call('ZADD', bucket.key, unpack(bucket.leases))
          redis.call('PEXPIRE', bucket.key, LEASE / 1000 + SLACK)
        end
      end
    end

    -- The requests, one after the other as if each had come by itself. Each is the number of its buckets and then their
    -- places among those of the call: behind one of requests in flight stands the lease, behind a budget the tenant and
    -- for how long it may wait.
    local function decide()
      local buckets, reply = readBuckets(), {now}
      local mine, oks, waits, levels, leases = {}, {}, {}, {}, {}
      local a, last = 4 * #buckets + 2, #ARGV
      while a <= last do
        local count, mayAsk, refused, isPlain, budget = tonumber(ARGV[a]), true, false, true, nil
        local turn, turnWait, ticket = UNASKED, 0, 0
        a = a + 1
        for j = 1, count do
          local bucket = buckets[tonumber(ARGV[a])]
          mine[j] = bucket
          a = a + 1
          if bucket.kind == BUDGET then
            budget = bucket
            b, shortage = bucket.b, bucket.shortage
            if mayAsk then
              local warns = bucket.charge == WARNS
              turn, turnWait, ticket = ask(ARGV[a], tonumber(ARGV[a + 1]), warns)
              bucket.shortage, bucket.isChanged = shortage, true
              refused = refused or (turn == REFUSED and not warns)
            end
            isPlain = isPlain and turn == GRANTED and turnWait == 0
            a = a + 2
          else
            local ok, wait, used = false, 0, bucket.used
            if bucket.kind == RATE then
              wait = math.max(0, used + bucket.interval - bucket.interval * bucket.burst)
              ok = wait <= bucket.queueFor
              if ok then used = used + bucket.interval end
            else
              ok = used < bucket.most
              if ok then used = used + 1 end
              leases[j] = ARGV[a]
              a = a + 1
            end
            oks[j], waits[j], levels[j] = ok, wait, used
            isPlain = isPlain and ok and wait == 0
            if bucket.charge ~= WARNS then
              refused = refused or not ok
              mayAsk = mayAsk and ok and wait == 0
            end
          end
        end
        local size = #reply
        reply[size + 1] = isPlain and 1 or 0
        if isPlain then
          reply[size + 2] = count > 0 and mine[1] ~= budget and math.ceil(levels[1]) or 0
        end
        for j = 1, count do
          local bucket = mine[j]
          if bucket == budget then
            if not isPlain then tell(reply, turn, turnWait, ticket) end
          else
            if not isPlain then
              size = #reply
              reply[size + 1], reply[size + 2] = oks[j] and 1 or 0, math.ceil(waits[j])
              reply[size + 3] = math.ceil(levels[j])
            end
            if oks[j] and (not refused or bucket.charge == ALWAYS) then
              bucket.used, bucket.isChanged = levels[j], true
              if bucket.leases then
                local held = #bucket.leases
                bucket.leases[held + 1], bucket.leases[held + 2] = now + LEASE, leases[j]
              end
            end
          end
        end
      end
      writeBuckets(buckets)
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
