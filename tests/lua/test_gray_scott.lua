-- Gradients of two reacting, diffusing species (Gray and Scott) by the discrete adjoint of an explicit run, against the
-- project's reference numbers: 64^2 five-point grid, t = 100 and 500, to their digits.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "?.lua;" .. package.path
local saros, expect = require "saros", require "expect"
local near = expect.near

local function v0(s)
  local spot = (saros.sin(4 * math.pi * s.x) * saros.sin(4 * math.pi * s.y))^2 / 4
  local inside = s.x:ge(1) & s.x:le(1.5) & s.y:ge(1) & s.y:le(1.5)
  return saros.where(inside, spot, 0)
end
local reaction = saros.problem{
  name = "gray-scott",
  domain = { x = { 0, 2.5 }, y = { 0, 2.5 }, t = { 0, 500 } },
  unknowns = { "u", "v" },
  parameters = { gamma = 0.024, kappa = 0.06 },
  equation = function(s, p)
    local u, v = s.u, s.v
    return u.t - 8e-5 * (u.xx + u.yy) + u * v^2 - p.gamma * (1 - u),
           v.t - 4e-5 * (v.xx + v.yy) - u * v^2 + (p.gamma + p.kappa) * v
  end,
  initial = function(s) return 1 - 2 * v0(s), v0(s) end,
  boundary = { x = "periodic", y = "periodic" },
}

local function mean(name, t)
  return function(sol) return sol:integral(function(s) return s[name] end, { t = t }) / 6.25 end
end
local function gradient(name, t, dt)
  local J, d = reaction:gradient{ objective = mean(name, t), wrt = { "gamma" }, cells = 64, integrator = "rk4", dt = dt,
                                  domain = { t = { 0, t } } }
  return J, d.gamma
end

-- dt = 0.25: halving it changes the ninth digit
local _, dv = gradient("v", 100, 0.25)
local _, du = gradient("u", 100, 0.25)
near({ dv, du }, { 0.206834266, 0.231522682 }, 5e-9)
local u, v
u, du = gradient("u", 500, 0.25)
v, dv = gradient("v", 500, 0.25)
near({ u, v }, { 0.9653098676, 0.0105157905 }, 1e-9)
near({ dv, du }, { 0.80098807, -2.21986848 }, 1e-8)
