-- A ball dropped from one metre: events where it meets the floor, where it turns, and where the run ends; the
-- derivative of their times by the part of its speed that it keeps; that part from the time of the fourth bounce.
-- Bounce n is at t_n = t_1 (1 + 2 (e + … + e^(n-1))), t_1 = sqrt(2/g), which checks every number.
local saros = require "saros"
local g, kept, bounces = 9.81, 0.8, 4

local function drop(e)
  return saros.ode(function(_, y) return { height = y.speed, speed = -g } end, { height = 1.0, speed = 0.0 }, {
    times = { 0, 0.2, 0.6, 3 }, integrator = "dopri5", rtol = 1e-10, atol = 1e-10,
    events = {
      { when = function(_, y) return y.height end, direction = -1, -- falls through the floor: sent up again
        jump = function(_, y) return { height = y.height, speed = -e * y.speed } end },
      { when = function(_, y) return y.speed end, direction = -1 }, -- turns: noted
      { when = function(t) return t - 2.25 end, terminal = true },
    },
  })
end

local function exact(n, e) -- and its derivative by e
  local t, dt = 1, 0
  for k = 1, n - 1 do t, dt = t + 2*e^k, dt + 2*k*e^(k - 1) end
  return math.sqrt(2/g)*t, math.sqrt(2/g)*dt
end

local y, met = drop(kept)
local n = 0
for _, event in ipairs(met) do
  if event.event == 1 then
    n = n + 1
    print(string.format("bounce %d at %.8f s, exactly %.8f", n, event.t, (exact(n, kept))))
    assert(math.abs(event.t - exact(n, kept)) < 1e-8)
  elseif event.event == 2 then
    assert(math.abs(event.y.height - kept^(2*n)) < 1e-8)
  end
end
assert(n == bounces and met[#met].event == 3 and #y.height == 3) -- the output at 3 s is not reached

-- The time of the last bounce, differentiated through all bounces by the same call as any function.
local function last(e)
  local _, list = drop(e)
  local t
  for _, event in ipairs(list) do if event.event == 1 then t = event.t end end
  return t
end
local t, dt = saros.value_and_grad(last)(kept)
local _, want = exact(bounces, kept)
print(string.format("dt/de = %.8f, exactly %.8f", dt, want))
assert(math.abs(dt/want - 1) < 1e-7)
local _, ddt = saros.value_and_grad(saros.grad(last))(kept)
assert(math.abs(ddt / (2*math.sqrt(2/g)*(2 + 6*kept)) - 1) < 1e-6)

-- From the time that was measured back to e, by Newton's method.
local e = 0.75
for _ = 1, 6 do
  local now, slope = saros.value_and_grad(last)(e)
  e = e - (now - t)/slope
end
print(string.format("e = %.10f from the time of bounce %d", e, bounces))
assert(math.abs(e - kept) < 1e-9)
