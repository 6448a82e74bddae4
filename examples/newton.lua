-- A chain of valleys: the sparse Hessian of a function of many unknowns, and Newton's method with it.
--   saros run newton.lua --unknowns 1000
local saros = require "saros"
local n = saros.arg{ name = "unknowns", default = 1000, min = 2, doc = "length of the chain" }

-- Chained Rosenbrock: each unknown meets its neighbours alone, so the Hessian has three diagonals.
local function valleys(x)
  local low, high = x:slice(1, 1, n - 1), x:slice(1, 2, n)
  return (100 * (high - low^2)^2 + (1 - low)^2):sum()
end

-- Rows, columns and values of the entries that may differ from 0: three products, whatever n is.
local start = saros.zeros{ n }
local H = saros.hessian(valleys, { sparse = true })(start)
print(("%d of %d entries of the Hessian"):format(#H.values, n * n))
for k = 1, 4 do print(H.rows:get(k), H.columns:get(k), H.values:get(k)) end
assert(#H.values == 3*n - 2)

-- The same Hessian, entry by entry in place, serves Newton's method; gradients alone need more steps.
local x, info = saros.minimise(valleys, start, { newton = true, max_iterations = 10*n })
print("Newton", info.iterations .. " iterations, value", info.value)
local error = (x - 1):abs():max()
assert(info.converged and (error:item() < 1e-5), error)
