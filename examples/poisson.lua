-- Poisson's equation on the unit square, -lap u = f: a ready problem, then the same written out with a source of its own.
local saros = require "saros"
local pi = math.pi

local one = saros.equations.poisson{}:solve{ cells = 64, order = 4 }
print("u(1/2, 1/2) =", one:at{ x = 0.5, y = 0.5 })
assert(math.abs(one:at{ x = 0.5, y = 0.5 } - 0.073671353281514) < 1e-6)

-- f chosen so that u = sin(pi x) sin(2 pi y) is exact; a coefficient that varies stands inside the divergence.
local function k(s) return 1 + s.x end
local function exact(s) return saros.sin(pi*s.x) * saros.sin(2*pi*s.y) end
local problem = saros.problem{
  name = "poisson", domain = { x = {0, 1}, y = {0, 1} }, unknowns = { "u" },
  equation = function(s)
    local f = 5*pi^2*k(s)*exact(s) - pi*saros.cos(pi*s.x)*saros.sin(2*pi*s.y)
    return saros.div{ k(s)*s.u.x, k(s)*s.u.y } + f
  end,
  boundary = { x = saros.dirichlet(0), y = saros.dirichlet(0) },
}
local last
for _, cells in ipairs{ 16, 32, 64 } do
  local sol = problem:solve{ cells = cells, order = 4 }
  local e = sol:error(exact)
  print(string.format("%3d cells  error %.2e  %s", cells, e, last and string.format("order %.2f", math.log(last/e, 2)) or ""))
  assert(not last or math.log(last/e, 2) > 3.7)
  last = e
end
