-- Loops, conditions, roots, integrators, minimisers, functions with derivatives of their own.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "?.lua;" .. package.path
local saros, expect = require "saros", require "expect"
local near, equal, fails = expect.near, expect.equal, expect.fails
local T = saros.tensor

-- loop: carry, index from 1, kept values, inputs, captures
near(saros.loop(10, function(c, i) return c + i end, 0), 55)
local c, kept = saros.loop(6, function(c) return c * 2 end, 1.0, { keep = function(c, i) return c + i end, every = 2 })
near(c, 64)
near(kept, { 6, 20, 70 })
local state = saros.loop(3, function(s, i) return { x = s.x + s.v, v = s.v * 2 } end, { x = 0.0, v = T{ 1, 2 }:sum() })
near(state.x, 21)
near(saros.loop(3, function(s, _, a) return s + a end, T{ 0, 0 }, { inputs = T{ { 1, 2 }, { 3, 4 }, { 5, 6 } } }), { 9, 12 })
near(saros.grad(function(x) return (saros.loop(5, function(s) return s * x end, 1.0)) end)(1.1), 5 * 1.1^4)
near(saros.grad(saros.grad(function(x) return (saros.loop(5, function(s) return s * x end, 1.0)) end))(1.1), 20 * 1.1^3)
near(saros.jvp(function(x) return (saros.loop(4, function(s) return saros.sin(s) * x end, 1.0)) end, { 1.0 }, { 1.0 }),
     (saros.loop(4, function(s) return saros.sin(s) end, 1.0)))
near(saros.vmap(function(x) return (saros.loop(3, function(s) return s * x end, 1.0)) end)(T{ 1, 2 }), { 1, 8 })
fails("shape", "f64[2]", saros.loop, 3, function(s) return saros.concat{ s, s } end, T{ 1 })
fails("usage", "boom", saros.loop, 3, function() error{ kind = "usage", message = "boom", hint = "" } end, 1.0)

-- checkpoint: the same numbers, computed once more in the reverse sweep; a cond runs one branch
local runs = 0
local cubed = saros.custom{
  forward = function(x) runs = runs + 1; return x^3 end,
  jvp = function(x, v) return 3 * x[1]^2 * v[1] end, vjp = function(x, _, w) return 3 * x[1]^2 * w[1] end }
local function part(x, p) return { y = saros.exp(saros.sin(cubed(x))) * p.a, z = x * p.a }, x + 1 end
local function whole(f) return function(x, a) local r, s = f(x, { a = a }) return r.y * r.z + s^2 end end
local kept, again = whole(part), whole(saros.checkpoint(part))
near(again(0.7, 2.0), kept(0.7, 2.0))
for _, argument in ipairs{ 1, 2 } do near(saros.grad(again, argument)(0.7, 2.0), saros.grad(kept, argument)(0.7, 2.0)) end
near(saros.grad(saros.grad(again))(0.7, 2.0), saros.grad(saros.grad(kept))(0.7, 2.0))
near(saros.vmap(saros.grad(again))(T{ 0.1, 0.7 }, T{ 2, 3 }), saros.vmap(saros.grad(kept))(T{ 0.1, 0.7 }, T{ 2, 3 }))
near(saros.jvp(again, { 0.7, 2.0 }, { 1.0, 0.5 }), (saros.jvp(kept, { 0.7, 2.0 }, { 1.0, 0.5 })))
local function count(f) local g = saros.jit(f); g(0.7, 2.0); runs = 0; g(0.7, 2.0); return runs end
equal(count(saros.value_and_grad(kept)), 1)
equal(count(saros.value_and_grad(again)), 2)
equal(count(function(x) return saros.cond(x:lt(1), function(v) return v * 2 end, cubed, x) end), 0)
-- loop_while and cond
near(saros.loop_while(function(s) return s:lt(100) end, function(s) return s * 3 end, 1.0, 50), 243)
local turns = 0 -- it ends: the body is called as often as it has to
local counting = saros.custom{
  forward = function(s) turns = turns + 1; return s * 3 end,
  jvp = function(_, v) return 3 * v[1] end, vjp = function(_, _, w) return 3 * w[1] end }
near(saros.loop_while(function(c) return c.s:lt(100) end, function(c) return { s = counting(c.s), n = c.n + 1 } end,
     { s = 1.0, n = 0 }, 10^6).n, 5)
assert(turns >= 5 and turns <= 7, turns) -- recording may call it too
near(saros.vmap(function(x) return saros.loop_while(function(s) return s:lt(100) end, function(s) return s * x end, 1.0, 50) end)(T{ 3, 10, 200 }),
     { 243, 100, 200 })
near(saros.vmap(saros.grad(function(x) return saros.loop_while(function(s) return s:lt(100) end, function(s) return s * x end, 1.0, 50) end))(T{ 3, 10, 200 }),
     { 405, 20, 1 })
local function decay(x, states)
  return (saros.loop(40, function(s) return s + 0.1 * saros.sin(s * x) end, 1.0, { states = states }))
end
near(saros.grad(function(x) return decay(x, 5) end)(0.7), saros.grad(decay)(0.7))
near(saros.grad(saros.grad(function(x) return decay(x, 5) end))(0.7), saros.grad(saros.grad(decay))(0.7))
local function on_disk(folder)
  return function(x)
    return (saros.loop(40, function(s) return s + 0.1 * saros.sin(s * x) end, 1.0,
                       { states = 2, disk = { folder = folder, states = 6 } }))
  end
end
assert(saros.grad(on_disk("."))(0.7) == saros.grad(decay)(0.7))
fails("io", "no/such/folder", saros.grad(on_disk("no/such/folder")), 0.7)
fails("type", "disk.folder", saros.loop, 3, function(s) return s end, 1.0, { disk = { states = 3 } })
fails("domain", "states must be at least 1", saros.loop, 3, function(s) return s end, 1.0, { states = 0 })
fails("type", "one bool", saros.loop_while, function(s) return s end, function(s) return s end, 1.0, 3)
near(saros.grad(function(x) return saros.loop_while(function(s) return s:lt(100) end, function(s) return s * x end, 1.0, 50) end)(3.0),
     5 * 3^4)
local function piecewise(x) return saros.cond(x:gt(1), function(y) return y^2 end, function(y) return -y end, x) end
near(saros.grad(piecewise)(3.0), 6)
near(saros.grad(piecewise)(0.5), -1)
near(saros.cond(true, function() return 1 end, function() error("not this one") end), 1)
fails("shape", "one branch returns", saros.grad(function(x)
  return saros.cond(x:gt(0), function() return x, x end, function() return x end)
end), 1.0)

-- root, by the implicit function theorem
near(saros.root(function(x) return x^2 - 2 end, 1.0), math.sqrt(2), 1e-9)
near(saros.root(function(x) return saros.stack{ x[1] + x[2] - 3, x[1] * x[2] - 2 } end, T{ 0.5, 3 }), { 1, 2 }, 1e-9)
near(saros.grad(function(a) return saros.root(function(x, b) return x^3 - b end, 1.0, { args = { a } }) end)(8.0), 1/12, 1e-9)
near(saros.grad(saros.grad(function(a) return saros.root(function(x) return x^2 - a end, 1.0) end))(4.0), -1/32, 1e-8)
fails("not_converged", "", saros.root, function(x) return x^2 + 1 end, 1.0)

-- ode
local function decay(_, y, k) return -k * y end
near(saros.ode(decay, 1.0, { times = { 0, 0.5, 1 }, args = { 2.0 }, rtol = 1e-9, atol = 1e-12 }),
     { 1, math.exp(-1), math.exp(-2) }, 1e-7)
near(saros.ode(decay, 1.0, { times = { 0, 1 }, args = { 2.0 }, integrator = "rk4", dt = 0.01 })[2], math.exp(-2), 1e-8)
local orbit = saros.ode(function(_, y) return { q = y.p, p = -y.q } end, { q = 1.0, p = 0.0 },
                        { times = { 0, math.pi }, integrator = "adams", rtol = 1e-10, atol = 1e-12 })
near({ orbit.q[2], orbit.p[2] }, { -1, 0 }, 1e-7)
near(saros.grad(function(k) return saros.ode(decay, 1.0, { times = { 0, 1 }, args = { k }, integrator = "rk4", dt = 0.01 })[2] end)(2.0),
     -math.exp(-2), 1e-8)
local function slow(_, y) return -y end
for _, name in ipairs{ "imex", "rodas4", "sdirk", "rk4" } do -- a rate in two parts: exp(-(k + 1) t)
  local function last(k)
    return saros.ode(decay, 1.0, { times = { 0, 1 }, args = { k }, explicit = slow, integrator = name, dt = 0.01 })[2]
  end
  near(last(1.0), math.exp(-2), 1e-6)
  near(saros.grad(last)(1.0), -math.exp(-2), 1e-6)
end
for _, name in ipairs{ "sdirk", "dopri5", "rodas4" } do -- steps by rtol
  near(saros.ode(decay, 1.0, { times = { 0, 0.5, 1 }, args = { 2.0 }, integrator = name, rtol = 1e-8, atol = 1e-10 }),
       { 1, math.exp(-1), math.exp(-2) }, 1e-6)
end
for _, name in ipairs{ "sdirk", "dopri5", "rodas4" } do -- the same inside a transform: chosen for the numbers in force
  local function last(k) -- k by args or not
    return saros.ode(decay, 1.0, { times = { 0, 0.5 }, args = { k }, integrator = name, rtol = 1e-8, atol = 1e-10 })[2]
         * saros.ode(function(_, y) return -k * y end, 1.0, { times = { 0, 0.5 }, integrator = name, rtol = 1e-8, atol = 1e-10 })[2]
  end
  near(saros.grad(last)(2.0), -math.exp(-2), 1e-6)
  near(saros.grad(saros.grad(last))(2.0), math.exp(-2), 1e-5)
end
local function decayed(k, integrator) return saros.ode(decay, 1.0, { times = { 0, 0.5, 1 }, args = { k }, integrator = integrator, rtol = 1e-9, atol = 1e-12 })[3] end
for _, name in ipairs{ "sdirk", "dopri5" } do -- chosen anew in every run: one compiled function for all k
  local slope = saros.jit(saros.grad(function(k) return decayed(k, name) end))
  for _, k in ipairs{ 0.5, 20.0, 2.0 } do near(slope(k), -math.exp(-k), 1e-8) end
  near(saros.vmap(saros.grad(function(k) return decayed(k, name) end))(T{ 0.5, 20, 2 }), { -math.exp(-0.5), -math.exp(-20), -math.exp(-2) }, 1e-8)
  near(saros.grad(function(k) return saros.loop(3, function(y) return y * decayed(k, name) end, 1.0) end)(0.5), -3 * math.exp(-1.5), 1e-8)
end
near(saros.grad(decayed)(2.0), -math.exp(-2), 1e-7) -- sdirk if none is named
near((saros.minimise(function(k) return (decayed(k) - 0.3)^2 end, 1.0, { tolerance = 1e-12 })), -math.log(0.3), 1e-6)
fails("not_converged", "steps", saros.jit(function(k) return saros.ode(decay, 1.0, { times = { 0, 1 }, args = { k }, integrator = "dopri5", rtol = 1e-12, atol = 1e-14, max_steps = 3 }) end), 2.0)
fails("usage", "not inside jit", saros.jit(function(k) return saros.ode(decay, k, { times = { 0, 1 }, args = { k }, integrator = "dopri5", events = { when = function(_, y) return y - 0.5 end } })[2] end), 2.0)
fails("usage", "needs the step dt", saros.grad(function(k) return saros.ode(decay, k, { times = { 0, 1 }, args = { k }, integrator = "rk4" })[2] end), 2.0)

-- events: a terminal one, at t = ln 2/k, with its derivative by the same call
local function half(k, options)
  options = options or {}
  return saros.ode(decay, 1.0, { times = { 0, 0.1, 0.2, 5 }, args = { k }, integrator = options.integrator, rtol = 1e-9, atol = 1e-9,
                                 events = { when = function(_, y) return y - 0.5 end, direction = -1, terminal = true } })
end
for _, name in ipairs{ "dopri5", "rodas4", "sdirk" } do
  local y, met = half(2.0, { integrator = name })
  near(y, { 1, math.exp(-0.2), math.exp(-0.4) }, 1e-7) -- the times that were reached
  assert(#met == 1 and met[1].event == 1)
  near({ met[1].t, met[1].y }, { math.log(2) / 2, 0.5 }, 1e-7)
  local function when(k) local _, list = half(k, { integrator = name }) return list[1].t end
  near(saros.grad(when)(2.0), -math.log(2) / 4, 1e-6)
  near(saros.grad(saros.grad(when))(2.0), math.log(2) / 4, 1e-5)
end
-- a list of them; states that are trees, a jump; what is not met
local q, list = saros.ode(function(_, s) return { x = s.v, v = -1 } end, { x = 0.0, v = 1.0 }, { times = { 0, 3.2 }, rtol = 1e-9, atol = 1e-9,
  events = { { when = function(_, s) return s.x end, direction = -1, jump = function(_, s) return { x = s.x, v = -0.5 * s.v } end },
             { when = function(_, s) return s.v end, direction = -1 }, { when = function(t) return t - 9 end } } })
assert(#list == 4 and list[1].event == 2 and list[2].event == 1 and list[3].event == 2 and list[4].event == 1)
near({ list[1].t, list[1].y.x, list[2].t, list[2].y.v, list[3].t, list[4].t }, { 1, 0.5, 2, -1, 2.5, 3 }, 1e-7)
near({ q.x[2], q.v[2] }, { 0.25 * 0.2 - 0.02, 0.05 }, 1e-6)
local _, none = saros.ode(slow, 1.0, { times = { 0, 1 }, events = { when = function(_, y) return y - 2 end } })
assert(#none == 0)
fails("usage", "chooses its steps", saros.ode, slow, 1.0, { times = { 0, 1 }, integrator = "bdf", events = { when = function(_, y) return y end } })
fails("usage", "did you mean 'terminal'", saros.ode, slow, 1.0, { times = { 0, 1 }, events = { when = function(_, y) return y end, terminate = true } })
fails("shape", "1 is needed", saros.ode, slow, T{ 1, 2 }, { times = { 0, 1 }, events = { when = function(_, y) return y end } })
fails("not_converged", "3 events", saros.ode, function() return 1 end, 0.0, { times = { 0, 9 }, max_events = 3,
  events = { when = function(_, y) return y - 1 end, jump = function() return 0.0 end } })
fails("usage", "two parts", saros.ode, decay, 1.0, { times = { 0, 1 }, args = { 1.0 }, integrator = "imex", dt = 0.1 })
fails("usage", "one part", saros.ode, decay, 1.0, { times = { 0, 1 }, args = { 1.0 }, explicit = slow })
for _, name in ipairs{ "bdf", "adams" } do -- continuous: to the tolerance
  near(saros.grad(function(k) return saros.ode(decay, 1.0, { times = { 0, 0.5, 1 }, args = { k }, integrator = name, rtol = 1e-9, atol = 1e-12 })[3] end)(2.0),
    -math.exp(-2), 1e-7)
  local _, along = saros.jvp(function(k) return saros.ode(decay, 1.0, { times = { 0, 1 }, args = { k }, integrator = name, rtol = 1e-9, atol = 1e-12 })[2] end, { 2.0 }, { 1.0 })
  near(along, -math.exp(-2), 1e-7)
end
fails("usage", "times", saros.ode, decay, 1.0, {})
-- Robertson, p = (.04, 1e4, 3e7), t = 4: the project's reference number, computed to eight digits
local stiff = saros.ode(function(_, y)
  local r1, r2, r3 = 0.04 * y[1], 1e4 * y[2] * y[3], 3e7 * y[2]^2
  return saros.stack{ r2 - r1, r1 - r2 - r3, r3 }
end, T{ 1, 0, 0 }, { times = { 0, 0.4, 4 }, rtol = 1e-8, atol = 1e-12 })
near(stiff:get(3, 1), 0.90551867858425, 1e-7)
near(stiff:get(2, 3), 0.014794022185233, 1e-7)

-- the same as an algebraic equation: y1 + y2 + y3 = 1, y3 at the start a guess
local function constrained(_, y, rate, p1)
  local r1, r2, r3 = p1 * y[1], 1e4 * y[2] * y[3], 3e7 * y[2]^2
  return saros.stack{ rate[1] - (r2 - r1), rate[2] - (r1 - r2 - r3), y[1] + y[2] + y[3] - 1 }
end
local function kinetics(p1) return saros.dae(constrained, T{ 1, 0, 0.5 }, { times = { 0, 0.4, 4 }, args = { p1 }, rtol = 1e-9, atol = 1e-13 }) end
local algebraic = kinetics(0.04)
near(algebraic[1], { 1, 0, 0 }, 1e-12)
near(algebraic[3], stiff[3], 1e-7)
near(saros.grad(function(p1) return kinetics(p1)[2][1] end)(0.04), -0.355952566, 1e-6)
local _, sideways = saros.jvp(function(p1) return kinetics(p1)[3][1] end, { 0.04 }, { 1.0 })
near(sideways, -1.876082174, 1e-5)
local tree = saros.dae(function(_, s, d, k) return { x = d.x + k * s.x, z = s.z - s.x^2 } end, { x = 1.0, z = 9.0 },
                       { times = { 0, 1 }, args = { 0.5 }, rtol = 1e-9, atol = 1e-12 })
near({ tree.x[2], tree.z[1], tree.z[2] }, { math.exp(-0.5), 1, math.exp(-1) }, 1e-7)
fails("usage", "times", saros.dae, constrained, T{ 1, 0, 0 }, { args = { 1 } })
fails("not_converged", "", saros.dae, function(_, y) return y^2 + 1 end, 1.0, { times = { 0, 1 } })

-- minimise
local function rosenbrock(w) return (1 - w.x)^2 + 100 * (w.y - w.x^2)^2 end
local w, info = saros.minimise(rosenbrock, { x = -1.0, y = 1.0 })
near({ w.x, w.y }, { 1, 1 }, 1e-5)
assert(info.converged and info.iterations > 5 and #info.history > 0)
w, info = saros.minimise(rosenbrock, { x = -1.0, y = 1.0 }, { method = { { "adam", lr = 1e-2, steps = 200 }, { "lbfgs", steps = 500 } } })
near({ w.x, w.y }, { 1, 1 }, 1e-5)
near((saros.minimise(function(x) return (x - 3)^2 end, 0.0, { bounds = { -1, 2 } })), 2, 1e-6)
fails("usage", "did you mean 'tolerance'", saros.minimise, rosenbrock, { x = 0.0, y = 0.0 }, { tolerence = 1 })

-- custom: numbers by any Lua, derivatives by rules that nest
local cube = saros.custom{
  forward = function(x) local y = {} for k, v in ipairs(x:totable()) do y[k] = v^3 end return T(y) end,
  jvp = function(x, v) return 3 * x[1]^2 * v[1] end,
  vjp = function(x, _, c) return 3 * x[1]^2 * c[1] end,
}
near(cube(T{ 1, 2 }), { 1, 8 })
near(saros.grad(function(x) return cube(x):sum() end)(T{ 1, 2 }), { 3, 12 })
near(saros.jvp(cube, { T{ 1, 2 } }, { T{ 1, 1 } }), { 1, 8 })
near(saros.hessian(function(x) return cube(x):sum() end)(T{ 1, 2 }), { 6, 0, 0, 12 }, 1e-12)
near(saros.vmap(cube)(T{ { 1, 2 }, { 3, 4 } }), { 1, 8, 27, 64 })
near(saros.vmap(saros.grad(function(x) return cube(x):sum() end))(T{ { 1, 2 }, { 3, 4 } }), { 3, 12, 27, 48 })
local blind = saros.custom{ forward = function(x) return x end }
fails("usage", "", saros.grad(function(x) return blind(x) end), 1.0)

-- adam for loops of one's own: the same numbers as minimise, also recorded as a loop
local function bowl(p) return ((p.a - T{ 1, 2 })^2):sum() + (p.b + 3)^2 end
local opt, p = saros.adam{ lr = 0.05 }, { a = T{ 0, 0 }, b = 0.0 }
local opt_state = opt:init(p)
for _ = 1, 50 do p, opt_state = opt:update(p, saros.grad(bowl)(p), opt_state) end
local q = saros.minimise(bowl, { a = T{ 0, 0 }, b = 0.0 }, { method = { { "adam", lr = 0.05, steps = 50 } } })
near(p.a, q.a, 1e-6)
near(p.b, q.b, 1e-6)
local whole, half = opt:update({ 1.0 }, { 1.0 }, opt:init{ 1.0 })[1], opt:update({ 1.0 }, { 1.0 }, opt:init{ 1.0 }, 0.025)[1]
near(1 - whole, 2 * (1 - half), 1e-12) -- the rate of one step
local start = { a = T{ 0, 0 }, b = 0.0 }
local recorded = saros.loop(50, function(c)
  local w2, s2 = opt:update(c.w, saros.grad(bowl)(c.w), c.s)
  return { w = w2, s = s2 }
end, { w = start, s = opt:init(start) })
near(recorded.w.a, p.a, 1e-12)
near(recorded.w.b, p.b, 1e-12)
