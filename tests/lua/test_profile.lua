-- saros.profile: what the report says of a function whose work is known.
local saros = require "saros"

local a, b = saros.ones{ 60, 50 }, saros.ones{ 50, 40 }
local f = saros.jit(function(x, y) return saros.sum(saros.matmul(x, y)) end)
f(a, b)
local report, first, second = saros.profile(function()
  for _ = 1, 9 do f(a, b) end
  return f(a, b):item(), "two"
end)
assert(first == 60 * 50 * 40 and second == "two")

local dot
for _, step in ipairs(report.steps) do
  assert(step.calls > 0 and step.seconds >= 0 and step.whole_seconds >= step.seconds and step.seconds <= report.seconds)
  if step.name:find("^dot") then dot = step end
end
assert(dot.calls == 10 and dot.operations == 10 * 2 * 60 * 50 * 40)
assert(dot.bytes == 10 * 8 * (60 * 50 + 50 * 40 + 60 * 40))
assert(dot.file:find("test_profile.lua$") and dot.line == 5 and dot.share > 0)
assert(tostring(report):find("dot f64[60,40]", 1, true) and tostring(report):find("GB/s", 1, true))

-- An error ends the recording, so that the next one may start; no nesting.
assert(not pcall(saros.profile, function() error("no") end))
local ok, e = pcall(saros.profile, function() saros.profile(function() end) end)
assert(not ok and e.kind == "usage" and e.message:find("another profile"))
assert(#saros.profile(function() end).steps == 0)
