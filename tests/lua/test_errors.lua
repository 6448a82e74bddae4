-- Errors: kind, place in the script, hint; and what Lua itself would get wrong in silence.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "?.lua;" .. package.path
local saros, expect = require "saros", require "expect"
local near, equal, fails = expect.near, expect.equal, expect.fails
local this = debug.getinfo(1, "S").source:sub(2)
local function here() return debug.getinfo(2, "l").currentline end

-- fields and place: the error names the line of the operator
local line = here() + 1
local e = fails("shape", "do not broadcast", function() return saros.ones{ 3 } + saros.ones{ 4 } end)
equal(e.file, this)
equal(e.line, line)
assert(tostring(e):find("hint", 1, true) and tostring(e):find(":" .. line .. ":", 1, true))

-- in a traced function: the line of the operator there
local function traced(x)
  local y = x * 2
  return y + saros.ones{ 3 } -- the line below `here`
end
line = here() - 2
e = fails("shape", "do not broadcast", function() return saros.jit(traced)(saros.ones{ 2 }) end)
equal(e.line, line)
e = fails("shape", "scalar", saros.grad(function(x) return x * saros.ones{ 2 } end), 1.0)
assert(e.hint:find("saros.sum", 1, true))

-- arguments: number, name, expected and got
fails("type", "argument 1 'x': expected a tensor or a number, got \"a\"", saros.sin, "a")
fails("type", "argument 2 'axis'", saros.sum, saros.ones{ 2 }, "x")
fails("shape", "axis 3", saros.sum, saros.ones{ 2 }, 3)
fails("usage", "too many arguments", saros.sin, 1, 2)
fails("usage", "did you mean \"f32\"", saros.tensor, { 1 }, { dtype = "f3" })
fails("shape", "unequal", saros.tensor, { { 1, 2 }, { 3 } })
fails("domain", "index 4 of an axis of 3", function() return saros.ones{ 3 }[4] end)
fails("domain", "index 0", function() return saros.ones{ 3 }[0] end)
fails("shape", "2 elements", function() return saros.ones{ 2 }:item() end)
fails("usage", "do not change", function() saros.ones{ 3 }[1] = 2 end)
fails("usage", "no field or method 'sine'", function() return saros.ones{ 3 }:sine() end)
fails("type", "mask must be bool", saros.where, saros.ones{ 2 }, 1, 2)
fails("shape", "do not multiply", saros.matmul, saros.ones{ 2, 2 }, saros.ones{ 3 })

fails("usage", "joins neither", function() return "a" .. saros.ones{ 2 } end)
fails("memory", "more than fit", saros.arange, 1e18)
local _, walk = pcall(function() for _ in ipairs(saros.ones{ 2 }) do end end)
assert(walk.hint:find("totable", 1, true))
fails("domain", "steps of dt", saros.ode, function(_, y) return -y end, saros.ones{ 1 },
  { times = { 0, 1 }, integrator = "rk4", dt = 1e-300 })
local opt = saros.adam{ lr = 0.1 }
local w = { a = saros.ones{ 2 }, b = saros.ones{ 2 } }
fails("shape", "x.b", opt.update, opt, w, { a = w.a, c = w.b }, opt:init(w))
fails("shape", "missing", opt.update, opt, w, { a = w.a }, opt:init(w))

-- names
fails("usage", "did you mean saros.tanh?", function() return saros.tanhh end)
for _, later in ipairs{ "mesh", "map" } do
  fails("usage", "not in this build", function() return saros[later] end)
end
fails("type", "function", saros.checkpoint, 3)
fails("usage", "2000 threads, needed 0 to 1024", saros.threads, 2000)
fails("usage", "needed 0 to 1024", saros.threads, -(1 << 40))
fails("usage", "no option 'tracee'", saros.profile, print, { tracee = "t.json" })
fails("shape", "do not multiply", saros.profile, function() return saros.matmul(saros.ones{ 2, 2 }, saros.ones{ 3 }) end)
assert(saros.threads(3) == 3 and saros.threads() == 3 and saros.threads(0) >= 1)
fails("usage", "not in this build", saros.zeros, { 2, device = "cuda" })
fails("usage", "undefined variable 'undefined_name'", function() return undefined_name end)

-- comparisons and functions of math
local t = saros.ones{ 2 }
for _, f in ipairs{
  function() return t < t end, function() return t <= 1 end, function() return 1 > t end,
  function() return t == saros.ones{ 2 } end,
} do
  fails("usage", "saros.where", f)
end
fails("type", "use saros.sin", math.sin, t)
fails("type", "use saros.maximum", math.max, t, 1)
fails("type", "use saros.sqrt", saros.grad(function(x) return math.sqrt(x) end), 2.0)
equal(math.sin(1), math.sin(1.0))

-- a value that outlives its recording
local kept
saros.grad(function(x) kept = x return x end)(1.0)
fails("usage", "after its recording has ended", function() return kept + 1 end)
assert(tostring(kept):find("ended"))
-- and an error inside a traced function leaves nothing open
fails("usage", "boom", saros.grad(function() error{ kind = "usage", message = "boom", hint = "" } end), 1.0)
equal(saros.sin(0), 0.0)

-- errors of Lua itself and of the script pass unchanged
local mine = setmetatable({}, { __tostring = function() return "mine" end })
local ok, got = pcall(saros.grad(function() error(mine) end), 1.0)
assert(not ok and rawequal(got, mine))
fails("type", "argument 2 'b': expected a tensor or a number, got nil", saros.grad(function(x) return x + nil end), 1.0)
e = fails("usage", "attempt to", saros.grad(function(x) return x.shape.y.z end), 1.0)
equal(e.file, this)

-- saros.help
for _, name in ipairs{ "sin", "solve", "grad", "grid", "network", "problem", "tensor" } do saros.help(name) end
saros.help(saros.linspace)
fails("usage", "did you mean linspace?", saros.help, "linspaces")

-- a reduction in an equation, and a NaN that names its line
fails("usage", "integral", saros.problem, {
  name = "sums", domain = { x = { 0, 1 } }, unknowns = { "u" }, boundary = { x = saros.dirichlet(0) },
  equation = function(s) return s.u.xx + saros.mean(s.u) end })
local function logs(x)
  local y = x - 2
  return saros.log(y) + 1 -- of a negative number
end
e = fails("nan", "log", saros.jit(logs, { check_finite = true }), 1.0)
equal(e.line, debug.getinfo(logs, "S").linedefined + 2)
assert(saros.jit(logs)(1.0) ~= saros.jit(logs)(1.0))

-- what users tried: indices outside their axis, axes and options that are not there, metamethods on other things
fails("domain", "", saros.gather, saros.ones{ 3 }, saros.tensor({ 4 }, { dtype = "i64" }))
fails("domain", "", function() return saros.ones{ 3 }:put(5, 1) end)
fails("usage", "dtype", saros.tensor, { 1, 2 }, { dtyp = "f32" })
fails("usage", "", saros.equations.burgers({}).solve, saros.equations.burgers({}), { method = "grid", cells = { y = 8 } })
fails("usage", "", saros.equations.burgers({}).solve, saros.equations.burgers({}), { method = "grid", times = {} })
fails("type", "got", getmetatable(saros.ones{ 3 }).__len, 3)
