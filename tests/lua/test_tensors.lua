-- Tensors against plain Lua arithmetic: making, reading, promotion, broadcasting, indexing.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "?.lua;" .. package.path
local saros, expect = require "saros", require "expect"
local near, equal, fails = expect.near, expect.equal, expect.fails

-- making and reading
local t = saros.tensor{ { 1, 2, 3 }, { 4, 5, 6 } }
equal(t.dtype, "f64")
near(t.shape, { 2, 3 })
equal(#t, 2)
near(t:totable(), { 1, 2, 3, 4, 5, 6 })
equal(t:get(2, 3), 6.0)
equal(t:get(-1, 1), 4.0)
near(t[2], { 4, 5, 6 })
equal(t[1][3], 3.0)
equal(t[-1][-1], 6.0)
equal(saros.tensor({ 7 }):item(), 7.0)
equal(saros.tensor({ 1, 2 }, { dtype = "f32" }).dtype, "f32")
equal(saros.tensor({ 1, 2 }, "i64")[1], 1)
equal(math.type(saros.tensor({ 1, 2 }, "i64")[1]), "integer")
equal(saros.tensor{ true, false }.dtype, "bool")
equal(saros.tensor{ true, false }[2], false)
near(saros.zeros{ 2, 2 }, { 0, 0, 0, 0 })
near(saros.ones(3), { 1, 1, 1 })
equal(saros.zeros{ 2, dtype = "f32" }.dtype, "f32")
near(saros.full({ 2 }, 7), { 7, 7 })
near(saros.eye(2), { 1, 0, 0, 1 })
near(saros.linspace(0, 1, 5), { 0, 0.25, 0.5, 0.75, 1 })
near(saros.arange(4), { 0, 1, 2, 3 })
near(saros.arange(2, 8, 3), { 2, 5 })
equal(saros.arange(3).dtype, "i64")
near(saros.tensor(3), 3)
near(saros.tensor{}, {})
near(t:copy(), t)
near(t:put(2, 0), { 1, 2, 3, 0, 0, 0 })
near(t:put({ 1, -1 }, 9), { 1, 2, 9, 4, 5, 6 })
near(t:slice(2, 2, 3), { 2, 3, 5, 6 })
near(t:slice(2, -1), { 3, 6 })

-- arithmetic with numbers on either side, broadcasting
for _, f in ipairs{
  function(a, b) return a + b end, function(a, b) return a - b end, function(a, b) return a * b end,
  function(a, b) return a / b end, function(a, b) return a ^ b end, function(a, b) return a // b end,
  function(a, b) return a % b end,
} do
  local x, y = { 1.5, 2, 3 }, { 2, 0.5, 3 }
  local tx, ty = saros.tensor(x), saros.tensor(y)
  local both, left, right = {}, {}, {}
  for k = 1, 3 do both[k], left[k], right[k] = f(x[k], y[k]), f(x[k], 2), f(2, y[k]) end
  near(f(tx, ty), both)
  near(f(tx, 2), left)
  near(f(2, ty), right)
end
near(-t, { -1, -2, -3, -4, -5, -6 })
near(t + saros.tensor{ 10, 20, 30 }, { 11, 22, 33, 14, 25, 36 })
near(t * saros.tensor{ { 2 }, { 3 } }, { 2, 4, 6, 12, 15, 18 })
near(saros.tensor{ 0, -2 } ^ 3, { 0, -8 })
near(saros.tensor{ 2, 4 } ^ -1, { 0.5, 0.25 })
near(saros.tensor{ -1, 5 } % 3, { 2, 2 })

-- a Lua number never widens a tensor; tensors promote as NumPy's
local f, i = saros.tensor({ 1, 2 }, "f32"), saros.tensor({ 1, 2 }, "i64")
equal((f * 2.5).dtype, "f32")
equal((1 / f).dtype, "f32")
equal((i + 1).dtype, "i64")
equal((i + 1.5).dtype, "f64")
equal((i / 2).dtype, "f64")
equal((f + saros.tensor{ 1, 2 }).dtype, "f64")
equal((i + f).dtype, "f64")
equal(saros.sin(i).dtype, "f64")
near(f:cast("f64"), { 1, 2 })

-- masks
local mask = t:gt(2) & ~t:eq(5)
near(mask, { false, false, true, true, false, true })
near(saros.where(t:lt(3) | t:ge(6), t, 0), { 1, 2, 0, 0, 0, 6 })
near(t:ne(1):sum(), 5)
near(saros.where(true, 1, 2), 1)

-- functions of plain numbers return plain numbers
equal(type(saros.sin(1)), "number")
near(saros.sin(1), math.sin(1))
near(saros.maximum(2, 3), 3)
equal(saros.lt(1, 2), true)
near(saros.clip(5, 0, 1), 1)

-- random numbers: the same key gives the same numbers, other keys other ones
local key = saros.random.key(42)
local a, b = key:split(2)
near(saros.random.uniform(a, { 3 }), saros.random.uniform(a, { 3 }), 0)
assert(saros.norm(saros.random.uniform(a, { 3 }) - saros.random.uniform(b, { 3 })):item() > 1e-3)
assert(saros.norm(saros.random.normal(key:fold(1), { 3 }) - saros.random.normal(key:fold(2), { 3 })):item() > 1e-3)
local u = saros.random.uniform(key, { 10000 }, -2, 2)
assert(u:min():item() >= -2 and u:max():item() < 2)
near(u:mean():item(), 0, 0.05)
near((saros.random.normal(key, { 10000 }) ^ 2):mean():item(), 1, 0.05)

-- giving memory back
do
  local scratch <close> = saros.zeros{ 10 }
  near(scratch:sum(), 0)
end
local gone = saros.zeros{ 10 }
gone:free()
fails("usage", "freed", function() return gone + 1 end)

-- text
equal(tostring(saros.tensor{ 1, 2 }), "f64[2] {1, 2}")
equal(tostring(saros.sum(saros.tensor{ 1, 2 })), "3")
assert(tostring(saros.zeros{ 1000 }):find("…", 1, true))
