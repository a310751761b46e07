-- One script for every route: `wrk ... -- METHOD PATHS_FILE CREDENTIALS_FILE TAG DELAY_MS`.
local method, paths, credentials, tag, delay_ms, count = "GET", {}, {}, "", 0, 0
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local function lines(name)
  local found = {}
  for line in io.lines(name) do found[#found + 1] = line end
  return found
end

function init(args)
  method, paths, credentials, tag = args[1], lines(args[2]), lines(args[3]), args[4]
  delay_ms = tonumber(args[5] or "0")
  math.randomseed(os.time() + number)
end

function request()
  count = count + 1
  local headers = { ["Authorization"] = "Bearer " .. credentials[count % #credentials + 1] }
  local path, body = paths[math.random(#paths)], nil
  if method == "POST" then
    headers["Content-Type"] = "application/json"
    headers["Idempotency-Key"] = string.format('"%s-%d-%d"', tag, number, count)
    body = string.format('{"reference":"CASE-2026-%s-%07d","lines":[{"service":"bench-licence","quantity":1}],' ..
      '"payer":{"language":"en","email":"fatima.al-example@mail.example.ae","mobile":"+971501234567"},' ..
      '"metadata":{"officer":"counter-17","channel":"web","case":"2026-0047110815","note":"renewal of the licence of ' ..
      'a restaurant at the creek, second floor","batch":"2026-11-22","office":"north","form":"TL-44"}}', tag, count)
  end
  return wrk.format(method, path, headers, body)
end

function delay()
  if delay_ms == 0 then return 0 end
  return math.random() * 2 * delay_ms
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format('RESULT {"per_s":%.1f,"bad":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests / (summary.duration / 1e6),
    errors.connect + errors.read + errors.write + errors.timeout + errors.status,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
