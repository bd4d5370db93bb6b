return {
  name = "runaway",
  fields = {
    { config = { type = "record", fields = {
        { with = { type = "string", required = true, one_of = { "loop", "caught", "tables", "text", "depth", "waits" } } },
    } } },
  },
}
