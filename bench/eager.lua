-- Seconds of one addition of two small tensors: the best of some runs, for saros_bench.
local saros = require "saros"
local a, b, n, best = saros.ones{16}, saros.ones{16}, 20000, math.huge
for _ = 1, 15 do
  local began = os.clock()
  for _ = 1, n do local _ = a + b end
  best = math.min(best, (os.clock() - began)/n)
end
print(best)
