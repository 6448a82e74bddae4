-- Bratu's problem lap u + lambda e^u = 0 on the unit square: nonlinear and steady. Its lower branch is followed in lambda, and
-- the derivative of the centre value by the implicit function theorem predicts the next point.
local saros = require "saros"

local bratu = saros.equations.bratu{}

local guess, predicted
print("lambda  u(centre)   d/dlambda   predicted")
for lambda = 1, 6 do
  local sol = bratu:solve{ cells = 32, order = 4, parameters = { lambda = lambda }, guess = guess }
  local J, dJ = bratu:gradient{
    objective = function(s) return s:at{ x = 0.5, y = 0.5 } end, wrt = { "lambda" },
    cells = 32, order = 4, parameters = { lambda = lambda }, guess = sol,
  }
  print(string.format("%6d  %.8f  %.8f  %s", lambda, J, dJ.lambda, predicted and string.format("%.6f", predicted) or ""))
  assert(math.abs(J - sol:at{ x = 0.5, y = 0.5 }) < 1e-8)
  if lambda == 1 then assert(math.abs(J - 0.0781010227) < 1e-5) end
  guess, predicted = sol, J + dJ.lambda
end

-- Beyond lambda_c = 6.808 there is no solution, and that is an error, not a number.
local ok, e = pcall(bratu.solve, bratu, { cells = 32, parameters = { lambda = 8 }, guess = guess })
assert(not ok and (e.kind == "not_converged" or e.kind == "diverged"))
print("lambda = 8: " .. e.kind)
