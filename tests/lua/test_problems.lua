-- Problems and solutions: tables checked, both methods, everything a solution answers, gradients in two wordings, fits.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "?.lua;" .. package.path
local saros, expect = require "saros", require "expect"
local near, equal, fails = expect.near, expect.equal, expect.fails
local pi, sin, exp = math.pi, saros.sin, saros.exp

local function heat_table()
  return {
    name = "heat", domain = { x = { 0, 1 }, t = { 0, 0.1 } }, unknowns = { "u" }, parameters = { kappa = 0.5 },
    equation = function(s, p) return s.u.t - p.kappa * s.u.xx end,
    initial = function(s) return sin(pi * s.x) end,
    boundary = { x = saros.dirichlet(0) },
    observables = { energy = function(s) return s.u^2 / 2 end },
  }
end
local heat = saros.problem(heat_table())
local function exact(s) return exp(-0.5 * pi^2 * s.t) * sin(pi * s.x) end
local options = { cells = { x = 64 }, order = 4, rtol = 1e-9, atol = 1e-12, times = 11 }
local sol = heat:solve(options)

-- what a solution answers
near(sol.u.shape, { 11, 65 })
near(sol.t, saros.linspace(0, 0.1, 11), 1e-14)
equal(sol.x[65], 1.0)
near(sol.energy, sol.u^2 / 2, 1e-12)
local truth = math.exp(-0.5 * pi^2 * 0.1)
near(sol:at{ x = 0.5, t = 0.1 }, truth, 1e-6)
equal(type(sol:at{ x = 0.5, t = 0.1 }), "number")
near(sol:at{ x = saros.tensor{ 0.25, 0.5 }, t = 0.1 }, { truth * math.sin(pi/4), truth }, 1e-6)
near(sol:evaluate(function(s) return s.u.x end, { x = 0.25, t = 0.1 }), pi * truth * math.cos(pi/4), 1e-4)
local u, uxx = sol:evaluate(function(s, p) return s.u, p.kappa * s.u.xx end, { x = 0.5, t = 0 })
near({ u, uxx }, { 1, -0.5 * pi^2 }, 1e-4)
near(sol:integral(function(s) return s.u^2 end, { t = 0.1 }), truth^2 / 2, 1e-6)
near(sol:error(exact, { t = 0.1 }), 0, 1e-6)
near(sol:error(sol), 0, 0)
near(sol.parameters.kappa, 0.5)
equal(sol.info.method, "grid")
assert(sol.info.converged and sol.info.steps > 0 and sol.info.seconds > 0)

-- replacements for one call
near(heat:solve{ cells = 64, order = 4, rtol = 1e-9, atol = 1e-12, parameters = { kappa = 1 } }:at{ x = 0.5, t = 0.1 },
     math.exp(-pi^2 * 0.1), 1e-6)
near(heat:solve{ cells = 64, order = 4, rtol = 1e-9, atol = 1e-12, domain = { t = { 0, 0.2 } } }:at{ x = 0.5, t = 0.2 },
     truth^2, 1e-6)
local later = heat:solve{ cells = 64, order = 4, rtol = 1e-9, atol = 1e-12, initial = sol }
near(later:at{ x = 0.5, t = 0.1 }, truth^2, 1e-5)

-- files
local path = os.tmpname()
os.remove(path)
path = path .. ".h5"
sol:save(path)
fails("io", "", sol.save, sol, path)
sol:save(path, { overwrite = true })
local back = saros.load(path)
near(back.u, sol.u, 0)
near(back:at{ x = 0.5, t = 0.1 }, sol:at{ x = 0.5, t = 0.1 }, 1e-12)
os.remove(path)
os.remove((path:gsub("%.h5$", ".xdmf")))

-- gradients: the call, the transform over solve, finite differences; dJ/dkappa = -2 pi^2 T J exactly
local march = { cells = 64, order = 4, integrator = "rk4", dt = 1e-4 }
local function with(extra) local t = {} for k, v in pairs(march) do t[k] = v end for k, v in pairs(extra) do t[k] = v end return t end
local J, dJ = heat:gradient(with{
  objective = function(s) return s:integral(function(q) return q.u^2 end, { t = 0.1 }) end, wrt = { "kappa" } })
near(J, truth^2 / 2, 1e-6)
near(dJ.kappa / (-2 * pi^2 * 0.1 * J), 1, 1e-6)
local function mean_square(kappa) return saros.mean(heat:solve(with{ parameters = { kappa = kappa } }).u^2) end
local g = saros.grad(mean_square)(0.5)
near(g, ((mean_square(0.5 + 1e-5) - mean_square(0.5 - 1e-5)) / 2e-5):item(), 1e-7)
-- check=true: Taylor rates, dot products, other memory, a second point; a kink at the point is told, not returned
local coarse = { cells = 16, order = 2, integrator = "rk4", dt = 1e-3, wrt = { "kappa" }, check = true }
local function checked(objective) coarse.objective = objective return heat:gradient(coarse) end
near(select(2, checked(function(s) return s:at{ x = 0.5, t = 0.1 } end)).kappa / (-pi^2 * 0.1 * truth), 1, 0.05)
fails("domain", "Taylor rates", checked, function(s, p) return s:at{ x = 0.5, t = 0.1 } * saros.abs(p.kappa - 0.5) end)
fails("nan", "not finite", checked, function(s, p) return s:at{ x = 0.5, t = 0.1 } * saros.sqrt((p.kappa - 0.5)^2) end)
local J2, dJ2 = heat:gradient(with{ objective = function(s, p) return p.kappa^2 * s:at{ x = 0.5, t = 0.1 } end, wrt = { "kappa" } })
near(dJ2.kappa, 2 * 0.5 * truth - 0.25 * pi^2 * 0.1 * truth, 1e-5)
near(J2, 0.25 * truth, 1e-6)
-- without dt the steps are chosen by rtol, for parameters that are numbers
local function energy(s) return s:integral(function(q) return q.u^2 end, { t = 0.1 }) end
for _, name in ipairs{ "sdirk", "dopri5" } do
  local Ja, dJa = heat:gradient{ objective = energy, wrt = { "kappa" }, cells = 32, order = 4, rtol = 1e-7, integrator = name }
  near(Ja, truth^2 / 2, 1e-5)
  near(dJa.kappa / (-2 * pi^2 * 0.1 * Ja), 1, 1e-5)
end
-- parameters that are traced: steps are chosen in every run
local function mean(kappa) return saros.mean(heat:solve{ cells = 16, order = 4, rtol = 1e-7, parameters = { kappa = kappa } }.u^2) end
local slope = saros.jit(saros.grad(mean))
for _, kappa in ipairs{ 0.5, 5.0 } do
  local d = 1e-4 * kappa
  near(slope(kappa) / ((mean(kappa + d) - mean(kappa - d)) / (2 * d)):item(), 1, 1e-3)
end

-- fit
local key = saros.random.key(5)
local kx, kt, kn = key:split(3)
local data = { x = saros.random.uniform(kx, { 60 }), t = (saros.random.uniform(kt, { 60 }) * 10):floor() / 100 + 0.01, sigma = 1e-3 }
data.u = exp(-0.5 * pi^2 * data.t) * sin(pi * data.x) + 1e-3 * saros.random.normal(kn, { 60 })
local fit = heat:fit{ data = data, unknown = { kappa = { 0.3, min = 0.01, max = 2 } }, cells = 32, order = 4,
                      integrator = "crank-nicolson", dt = 0.005 }
near(fit.parameters.kappa, 0.5, 5e-3)
assert(fit.std.kappa > 0 and math.abs(fit.parameters.kappa - 0.5) < 5 * fit.std.kappa)
equal(fit.solution.info.method, "grid")
assert(fit.info.converged)
local chosen = heat:fit{ data = data, unknown = { kappa = { 0.3, min = 0.01, max = 2 } }, cells = 32, order = 4 }
near(chosen.parameters.kappa / fit.parameters.kappa, 1, 1e-3)
equal(chosen.info.integrator, "sdirk")
fails("domain", "sigma", function()
  return heat:fit{ data = { x = data.x, t = data.t, u = data.u, sigma = 0 }, unknown = { kappa = 0.3 }, cells = 32 }
end)
assert(chosen.info.converged and chosen.info.steps > 10)

-- the network method, small
local net = heat:solve{ method = "network", network = { layers = 2, width = 12 }, points = 300, seed = 1, cells = 32, times = 5,
                        optimizer = { { "adam", steps = 50 }, { "bfgs", steps = 300 } } }
near(net:at{ x = 0.5, t = 0.1 }, truth, 1e-2)
assert(sol:error(net, { t = 0.1 }) < 2e-2)
near(net(saros.tensor{ { 0.5, 0.1 } }).shape, { 1, 1 })
local spread = saros.grad(function(w) return net(w, saros.tensor{ { 0.5, 0.1 } }):sum() end)(net.weights)
equal(spread.shape[1], net.weights.shape[1])
fails("usage", "", function() return sol.weights end)

-- steady, two dimensions, gradient by the implicit rule; ready problems
local bratu = saros.equations.bratu{}
local steady = bratu:solve{ cells = 32, order = 4 }
near(steady:at{ x = 0.5, y = 0.5 }, 0.0781010227, 1e-5)
near(steady.u.shape, { 33, 33 })
local Jb, dJb = bratu:gradient{ objective = function(s) return s:at{ x = 0.5, y = 0.5 } end, wrt = { "lambda" }, cells = 16 }
local step = 1e-3
local function centre(lambda) return bratu:solve{ cells = 16, parameters = { lambda = lambda } }:at{ x = 0.5, y = 0.5 } end
near(dJb.lambda, (centre(1 + step) - centre(1 - step)) / (2*step), 1e-6)
near(Jb, centre(1), 1e-9)
near(saros.equations.poisson{}:solve{ cells = 32, order = 4 }:at{ x = 0.5, y = 0.5 }, 0.073671353281514, 1e-5)

-- a flux form, a field parameter, systems, periodic axes
local rod = saros.problem{
  name = "rod", domain = { x = { 0, 1 } }, unknowns = { "u" }, parameters = { k = saros.field(saros.ones{ 17 }) },
  equation = function(s, p) return (p.k * s.u.x).x + 1 end, boundary = { x = { lo = saros.dirichlet(0), hi = saros.neumann(0) } },
}
near(rod:solve{ cells = 16 }:at{ x = 1 }, 0.5, 1e-9)
near(rod:solve{ cells = 16, parameters = { k = saros.field(2 * saros.ones{ 17 }) } }:at{ x = 1 }, 0.25, 1e-9)
local wave = saros.problem{
  name = "wave", domain = { x = { 0, 1 }, t = { 0, 0.9 } }, unknowns = { "u", "v" }, parameters = {},
  equation = function(s) return s.u.t - s.v.x, s.v.t - s.u.x end,
  initial = function(s) return sin(2*pi*s.x), 0 end, boundary = { x = "periodic" },
}
local w = wave:solve{ cells = 64, order = 4, integrator = "rk4", dt = 0.005 }
near({ w:at{ x = 0.25, t = 0.9 } }, { math.cos(1.8*pi), 0 }, 1e-4)
near(w.u.shape, { 2, 64 })
near({ w:error(function(s) return sin(2*pi*s.x) * saros.cos(2*pi*s.t), saros.cos(2*pi*s.x) * sin(2*pi*s.t) end, { t = 0.9 }) },
     { 0, 0 }, 1e-4)

-- strict tables and names
local function broken(change) local t = heat_table() change(t) return saros.problem(t) end
fails("usage", "did you mean 'domain'", broken, function(t) t.domian = t.domain t.domain = nil end)
fails("usage", "did you mean 'cells'", heat.solve, heat, { cels = 3 })
fails("usage", "use heat:solve{…}", heat.solve, { cells = 3 })
fails("usage", "did you mean \"grid\"", heat.solve, heat, { method = "gird" })
fails("usage", "not in this build", heat.solve, heat, { method = "spectral" })
fails("usage", "not in this build", heat.solve, heat, { device = "cuda" })
fails("usage", "not in this build", broken, function(t) t.mean = { u = 0 } end)
fails("type", "'order'", heat.solve, heat, { order = 2.5 })
fails("domain", "'order'", heat.solve, heat, { order = 17 })
fails("usage", "did you mean 'solve'", function() return heat.solv end)
fails("usage", "no unknown is called 'v'", broken, function(t) t.equation = function(s) return s.v.t end end)
fails("usage", "did you mean kappa", broken, function(t) t.equation = function(s, p) return s.u.t - p.kapa end end)
fails("usage", "no axis is called", broken, function(t) t.equation = function(s) return s.u.y end end)
fails("usage", "returns 2 values, 1 are needed", broken, function(t) t.equation = function(s) return s.u.t, s.u end end)
fails("usage", "no condition for u at x.hi", broken, function(t) t.boundary = { x = { lo = saros.dirichlet(0) } } end)
fails("usage", "name of solutions", broken, function(t) t.unknowns = { "error" } end)
fails("type", "argument 1 'v'", saros.dirichlet, "0")
fails("domain", "outside", sol.at, sol, { x = 2, t = 0 })
fails("usage", "coordinate t", sol.at, sol, { x = 0.5 })
fails("usage", "no field 'v'", function() return sol.v end)
fails("usage", "coordinate t is missing", heat.fit, heat, { data = { x = { 1 }, u = { 1 } }, unknown = { kappa = 1 }, integrator = "rk4", dt = 0.1 })
fails("usage", "did you mean heat", function() return saros.equations.heet end)
local e = fails("usage", "inside an equation", function() return saros.lap(1) + 0 end)
equal(e.line, debug.getinfo(1, "l").currentline - 1)
-- an error inside the equation names its line
local line
e = fails("type", "", broken, function(t) t.equation = function(s) line = debug.getinfo(1, "l").currentline return s.u.t + {} end end)
equal(e.line, line)

-- conditions as residuals, robin, operators in two dimensions, PETSc options by their names
local function line_problem(hi) return saros.problem{ name = "line", domain = { x = { 0, 1 } }, unknowns = { "u" },
  equation = function(s) return s.u.xx end, boundary = { x = { lo = saros.dirichlet(0), hi = hi } } } end
near(line_problem(saros.neumann(2)):solve{ cells = 16 }:at{ x = 1 }, 2, 1e-9)
near(line_problem(function(s) return s.u.n - 2 end):solve{ cells = 16 }:at{ x = 1 }, 2, 1e-9)
near(line_problem(saros.robin(1, 1, 3)):solve{ cells = 16 }:at{ x = 1 }, 1.5, 1e-9)
near(line_problem(saros.dirichlet(function(s) return 4*s.x end)):solve{ cells = 16 }:at{ x = 0.5 }, 2, 1e-9)
near(line_problem(saros.neumann(2)):solve{ cells = 16, linear = { ksp_type = "gmres", pc_type = "ilu", ksp_rtol = 1e-12 } }:at{ x = 1 }, 2, 1e-8)
fails("usage", "", function() line_problem(saros.neumann(2)):solve{ cells = 16, linear = { ksp_tipe = "gmres" } } end)
fails("usage", "not in this build", saros.condition, print)
local plane = saros.problem{ name = "plane", domain = { x = { 0, 1 }, y = { 0, 1 } }, unknowns = { "u" },
  equation = function(s) return saros.lap(s.u) end,
  boundary = { x = saros.dirichlet(function(s) return s.x + 2*s.y end), y = saros.dirichlet(function(s) return s.x + 2*s.y end) } }
local flat = plane:solve{ cells = 16 }
near({ flat:evaluate(function(s) return saros.dot_grad(s.u, s.u), saros.advect({ 3, s.x }, s.u), saros.div{ s.u, s.u } end,
  { x = 0.5, y = 0.5 }) }, { 5, 4, 3 }, 1e-8)

-- implicit steps of saros.ode: y' = -k y, y(1) = exp(-k), and its derivative by k
for _, integrator in ipairs{ "implicit-euler", "crank-nicolson", "sdirk" } do
  local function last(k)
    local y = saros.ode(function(_, y, rate) return -rate * y end, saros.tensor{ 1.0 },
                        { args = { k }, times = { 0, 1 }, integrator = integrator, dt = 1e-3 })
    return y:slice(1, 2, 2):sum()
  end
  local value, slope = saros.value_and_grad(last)(0.7)
  local tolerance = integrator == "implicit-euler" and 1e-3 or 1e-6
  near(value, math.exp(-0.7), tolerance, integrator)
  near(slope, -math.exp(-0.7), tolerance, integrator .. ", slope")
end

-- imex: terms with second derivatives implicit, or those that are named
local fisher = saros.problem{ name = "fisher", domain = { x = { 0, 1 }, t = { 0, 0.5 } }, unknowns = { "u" }, parameters = { k = 0.05, a = 3 },
  equation = function(s, p) return s.u.t - p.k*s.u.xx - p.a*s.u*(1 - s.u) end,
  initial = function(s) return 0.5 + 0.4*saros.cos(math.pi*s.x) end, boundary = { x = saros.neumann(0) } }
local fine = fisher:solve{ cells = 64, rtol = 1e-9, atol = 1e-11 }
for _, names in ipairs{ "u.xx", "u.xx u" } do
  local split = fisher:solve{ cells = 64, integrator = "imex", implicit = names, dt = 0.01 }
  near(split:error(fine, { t = 0.5 }), 0, 1e-5)
  assert(split.info.steps == 50 and split.info.integrator == "imex")
end
local slopes = {}
for k, integrator in ipairs{ "imex", "sdirk" } do
  local _, d = fisher:gradient{ objective = function(sol) return sol:integral(function(s) return s.u^2 end, { t = 0.5 }) end,
    wrt = { "k", "a" }, cells = 32, integrator = integrator, rtol = 1e-8, check = true }
  slopes[k] = { d.k, d.a }
end
near(slopes[1], slopes[2], 1e-5)
fails("usage", "names no unknown", function() fisher:solve{ cells = 16, integrator = "imex", implicit = "v.xx" } end)
fails("usage", "takes all terms alike", function() fisher:solve{ cells = 16, integrator = "rk4", dt = 1e-4, implicit = "u.xx" } end)
