-- What the scripts under tests/lua share: comparisons that say both sides, and errors that must come.
local expect = {}

-- The plain numbers of a number, boolean, tensor or nested table, in order.
local function flatten(x, into)
  if type(x) == "userdata" then x = #x.shape == 0 and x:item() or x:totable() end
  if type(x) == "table" then
    for _, v in ipairs(x) do flatten(v, into) end
  else
    into[#into + 1] = x
  end
  return into
end

local function text(list) return "{" .. table.concat(list, ", ") .. "}" end

-- |a - b| <= tolerance * max(1, |b|), element by element; booleans must be equal.
function expect.near(a, b, tolerance, what)
  local x, y = flatten(a, {}), flatten(b, {})
  for k = 1, math.max(#x, #y) do
    local same
    if type(x[k]) == "boolean" or type(y[k]) == "boolean" then
      same = x[k] == y[k]
    else
      same = x[k] and y[k] and math.abs(x[k] - y[k]) <= (tolerance or 1e-12) * math.max(1, math.abs(y[k]))
    end
    if not same then
      for j = 1, #x do x[j] = tostring(x[j]) end
      for j = 1, #y do y[j] = tostring(y[j]) end
      error((what or "values") .. ": got " .. text(x) .. ", wanted " .. text(y), 2)
    end
  end
end

function expect.equal(a, b, what)
  if a ~= b then error((what or "values") .. ": got " .. tostring(a) .. ", wanted " .. tostring(b), 2) end
end

-- f must raise an error table of this kind whose message or hint contains the text; returns it.
function expect.fails(kind, part, f, ...)
  local ok, e = pcall(f, ...)
  if ok then error("no error came, wanted " .. kind .. ": " .. part, 2) end
  if type(e) ~= "table" then error("an error that is no table: " .. tostring(e), 2) end
  if e.kind ~= kind then error("kind " .. tostring(e.kind) .. ", wanted " .. kind .. "\n" .. tostring(e), 2) end
  if not (e.message .. "\n" .. e.hint):find(part, 1, true) then
    error("'" .. part .. "' is not in: " .. tostring(e), 2)
  end
  return e
end

return expect
