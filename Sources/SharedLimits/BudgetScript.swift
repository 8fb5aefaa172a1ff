/// The account's quota as the store's script has it: the machine of `UpstreamBudget`, which says how shares come about and
/// why, in the store's language. Both are held to the same decisions (`SharingTraceTests`, `test_store_shares.py`).
///
/// What differs is what a store makes necessary. The state is one value, read and written whole, so that accounts and
/// requests that wait are bounded: beyond `MOST_ACCOUNTS` the tenant that asked longest ago begins anew. A request whose
/// gateway no longer looks for it is forgotten soon after it could have waited. Time is in microseconds.
///
/// The value is a head of numbers, and behind it, only when there are any, the accounts. What a shortage needs is made only
/// in one: making a function costs a call of the script as much as a small calculation does.
enum BudgetScript {
  /// Needs `now` and `CENTURY`, and gives `openBudget`, `ask`, `look`, `giveBack`, `throttled`, `tell` and `saveBudget`.
  static let text = """
    local ONE, SECOND = 1 - 1e-6, 1000000
    local REFUSED, GRANTED, WAITING, UNASKED = 0, 1, 2, 3
    local HEAD, FORM = 'dddddddddddd', 1
    -- The budget, and what is to be done in a shortage.
    local b, shortage

    local function rateInForce() return b.rate * b.factor end

    -- Makes the functions that accounts need.
    local function short()
      if shortage then return shortage end
      local EXPECTED, KEPT, ABANDONED = 10000000, 60000000, 1000000
      local MOST_WAITING, MOST_ACCOUNTS = 1024, 256
      local accounts, credited, weights, waiting = b.accounts, 0, 0, 0
      for _, a in ipairs(accounts) do
        credited, weights = credited + a.credits, weights + a.weight
        waiting = waiting + #a.queue / 2
      end

      local function free() return b.tokens - credited - b.undivided end
      local function isExpected(a) return #a.queue > 0 or b.refilled < a.till end

      local function most(a)
        if #a.queue > 0 then return math.huge end
        if b.refilled >= a.till then return 1 end
        return math.max(1, math.min(b.burst, 1.5 * b.burst * a.weight / weights, math.max(a.asked, a.peak)))
      end

      local function credit(a, amount)
        local before = a.credits
        a.credits = math.min(before + amount, math.max(before, most(a)))
        credited = credited + a.credits - before
      end

      local function anyCredit(which)
        for _, a in ipairs(accounts) do
          if a.credits >= ONE and (not which or which(a)) then return true end
        end
        return false
      end

      local function pay(a)
        if b.tokens < ONE then return false end
        if a.credits >= ONE then
          credit(a, -1)
        elseif free() < ONE then
          if a.credits >= -1e-6 and not anyCredit() then
            credit(a, -1)
          elseif b.tokens < b.burst - ONE or (b.burst <= #accounts and anyCredit(isExpected)) then
            return false
          end
        end
        b.tokens = b.tokens - 1
        return true
      end

      -- Microseconds until a turn behind so many others of the account.
      local function waitBehind(others, a)
        local sum = a.weight
        for _, o in ipairs(accounts) do
          if o ~= a and (isExpected(o) or o.credits < most(o)) then sum = sum + o.weight end
        end
        local own = (others + 1 - a.credits) / (rateInForce() * a.weight / sum)
        local seconds = math.max(own, (1 - b.tokens) / rateInForce())
        if seconds <= 1e-9 then return 0 end
        return math.ceil(math.min(seconds * SECOND, CENTURY))
      end

      local function expect(a, wait)
        local whole = wait > 0 and math.min(math.floor(wait / SECOND) + 1, 1000000) or 0
        a.till = math.max(a.till, now + whole * SECOND + EXPECTED)
      end

      local function drop(place)
        local a = table.remove(accounts, place)
        credited, weights = credited - a.credits, weights - a.weight
      end

      local function closeIdle()
        for place = #accounts, 1, -1 do
          local a = accounts[place]
          while a.queue[2] and now - a.queue[2] > ABANDONED do
            table.remove(a.queue, 1)
            table.remove(a.queue, 1)
            waiting = waiting - 1
          end
          if a.credits > 1 and not isExpected(a) then credited, a.credits = credited - a.credits + 1, 1 end
          if #a.queue == 0 and now - a.till >= KEPT then drop(place) end
        end
        for number, deadline in pairs(b.granted) do
          if now - deadline > ABANDONED then b.granted[number] = nil end
        end
      end

      local function share(income)
        local left, part = income, income / weights
        while left > 1e-9 do
          for _, a in ipairs(accounts) do
            local before = credited
            credit(a, part * a.weight)
            left = left - (credited - before)
          end
          left = math.min(left, b.tokens - credited)
          local sum = 0
          for _, a in ipairs(accounts) do
            if a.credits < most(a) then sum = sum + a.weight end
          end
          if sum <= 0 then return end
          part = left / sum
        end
      end

      local function serveWaiting()
        while waiting > 0 and b.tokens >= ONE do
          local first
          for _, a in ipairs(accounts) do
            if #a.queue > 0 and (not first or a.credits > first.credits) then first = a end
          end
          if not first or not pay(first) then return end
          local number = table.remove(first.queue, 1)
          b.granted[number] = table.remove(first.queue, 1)
          waiting = waiting - 1
        end
      end

      local function accountOf(name)
        for _, a in ipairs(accounts) do
          if a.name == name then return a end
        end
      end

      local function openAccount(name)
        if #accounts >= MOST_ACCOUNTS then
          local oldest
          for place, a in ipairs(accounts) do
            if #a.queue == 0 and (not oldest or a.till < accounts[oldest].till) then oldest = place end
          end
          if not oldest then return nil end
          drop(oldest)
        end
        if #accounts == 0 then b.undivided, b.divided = 0, now end
        local a = {
          name = name, weight = 0, credits = math.max(0, free()), till = now, asked = 0, peak = 0, second = now, queue = {},
        }
        credited = credited + a.credits
        accounts[#accounts + 1] = a
        return a
      end

      local function noteAsked(a)
        local seconds = math.floor((now - a.second) / SECOND)
        if seconds > 0 then
          a.peak = math.max(a.asked, a.peak) * 0.95 ^ math.min(seconds, 100)
          a.asked, a.second = 0, now
        end
        a.asked = a.asked + 1
        expect(a, 0)
      end

      local function divide()
        closeIdle()
        share(b.undivided)
        b.undivided, b.divided = 0, now
        serveWaiting()
      end

      local function ask(tenant, queueFor, warns)
        local weight, name = string.match(tenant, '^(%S+) (.*)$')
        local a = accountOf(name)
        if not a then
          if free() >= ONE then
            b.tokens = b.tokens - 1
            return GRANTED, 0, 0
          end
          a = openAccount(name)
          if not a then return REFUSED, SECOND, 0 end
        end
        weight = tonumber(weight)
        weights, a.weight = weights + weight - a.weight, weight
        noteAsked(a)
        if #a.queue == 0 and pay(a) then return GRANTED, 0, 0 end
        local wait = waitBehind(#a.queue / 2, a)
        if wait > queueFor or waiting >= MOST_WAITING then
          expect(a, wait)
          return REFUSED, wait, 0
        end
        if warns then return GRANTED, wait, 0 end
        b.ticket = b.ticket + 1
        a.queue[#a.queue + 1], a.queue[#a.queue + 2] = b.ticket, now + queueFor
        waiting = waiting + 1
        return WAITING, math.max(1, wait), b.ticket
      end

      local function look(name, number)
        if b.granted[number] then
          b.granted[number] = nil
          return GRANTED, 0, 0
        end
        local a = accountOf(name)
        for place = 1, a and #a.queue or 0, 2 do
          if a.queue[place] == number then
            local wait, left = waitBehind((place - 1) / 2, a), a.queue[place + 1] - now
            if left > 0 then return WAITING, math.max(1, math.min(wait, left)), number end
            table.remove(a.queue, place)
            table.remove(a.queue, place)
            waiting = waiting - 1
            expect(a, wait)
            return REFUSED, wait, 0
          end
        end
        return UNASKED, 0, 0
      end

      local function creditBack(name)
        local a = accountOf(name)
        if a then credit(a, 1) end
      end

      local function scale(by)
        credited = credited * by
        for _, a in ipairs(accounts) do a.credits = a.credits * by end
      end

      shortage = {divide = divide, ask = ask, look = look, creditBack = creditBack, scale = scale}
      return shortage
    end

    local function refill()
      local elapsed = now - b.refilled
      b.refilled = now
      if elapsed <= 0 then return end
      local income = rateInForce() * elapsed / SECOND
      b.tokens = math.min(b.burst, b.tokens + income)
      if #b.accounts == 0 then return end
      b.undivided = b.undivided + income
      -- Dividing looks at every account, so it is not done for every request, unless so much came in.
      if b.undivided >= 0.25 or now - b.divided >= 2000 then short().divide() end
    end

    -- `numbers`: rate, burst and whether it is adaptive. Late is what changes nothing of them, nor lets the rate rise.
    local function openBudget(key, numbers, isLate)
      local rate, burst, adaptive = string.match(numbers, '^(%S+) (%d+) (%d)$')
      rate, burst, adaptive = tonumber(rate), tonumber(burst), tonumber(adaptive)
      local stored = redis.call('GET', key)
      if stored and (#stored < struct.size(HEAD) or struct.unpack('d', stored) ~= FORM) then
        error('the value of a budget is none of ours')
      end
      b, shortage = {accounts = {}, granted = {}}, nil
      if stored then
        local _, place
        _, b.rate, b.burst, b.adaptive, b.factor, b.stepped, b.lowered, b.tokens, b.refilled, b.undivided, b.divided,
          b.ticket, place = struct.unpack(HEAD, stored)
        if place <= #stored then
          local rest = cmsgpack.unpack(string.sub(stored, place))
          b.accounts, b.granted = rest[1], rest[2]
        end
      else
        b.rate, b.burst, b.adaptive, b.factor, b.stepped, b.lowered = rate, burst, adaptive, 1, now, -1
        b.tokens, b.refilled, b.undivided, b.divided, b.ticket = burst, now, 0, now, 0
      end
      if isLate then return end
      local steps = math.floor((now - b.stepped) / SECOND)
      if steps > 0 then
        b.stepped = b.stepped + steps * SECOND
        b.factor = math.min(1, b.factor + 0.1 * steps)
      end
      refill()
      if b.rate == rate and b.burst == burst and b.adaptive == adaptive then return end
      -- Other numbers: the same part of the burst is there as before, and so are credits.
      b.tokens = b.tokens * burst / b.burst
      short().scale(burst / b.burst)
      if adaptive == 0 then b.factor = 1 end
      if adaptive > b.adaptive then b.stepped, b.lowered = now, -1 end
      b.rate, b.burst, b.adaptive = rate, burst, adaptive
    end

    local function saveBudget(key)
      local value = struct.pack(HEAD, FORM, b.rate, b.burst, b.adaptive, b.factor, b.stepped, b.lowered, b.tokens,
        b.refilled, b.undivided, b.divided, b.ticket)
      if #b.accounts > 0 or next(b.granted) then value = value .. cmsgpack.pack({b.accounts, b.granted}) end
      local untilFull = math.min((b.burst - b.tokens) / rateInForce() * SECOND, CENTURY)
      redis.call('SET', key, value, 'PX', math.ceil(untilFull / 1000) + 100000)
    end

    -- Asks for a turn of a tenant, given as its weight and its name. One that only warns neither waits nor pays for what it
    -- would have waited for.
    local function ask(tenant, queueFor, warns)
      if #b.accounts > 0 or b.tokens < ONE then return short().ask(tenant, queueFor, warns) end
      b.tokens = b.tokens - 1
      return GRANTED, 0, 0
    end

    -- What became of a request that waits; one that is not known (any more) has to ask anew.
    local function look(name, number) return short().look(name, number) end

    -- A turn was not used.
    local function giveBack(name)
      b.tokens = math.min(b.burst, b.tokens + 1)
      if #b.accounts > 0 then short().creditBack(name) end
    end

    -- Upstream answered 429: in each second the first lowers the rate.
    local function throttled()
      refill()
      if b.adaptive == 0 then return end
      b.stepped = now
      if b.lowered >= 0 and now - b.lowered < SECOND then return end
      b.lowered, b.factor = now, math.max(0.05, b.factor * 0.5)
    end

    local function tell(reply, turn, wait, ticket)
      local size = #reply
      local used = math.min(math.max(0, b.burst - b.tokens) / rateInForce() * SECOND, CENTURY)
      reply[size + 1], reply[size + 2], reply[size + 3] = turn, math.ceil(wait), math.ceil(used)
      reply[size + 4], reply[size + 5] = math.floor(b.factor * 1000000 + 0.5), ticket
      return reply
    end
    """
}
