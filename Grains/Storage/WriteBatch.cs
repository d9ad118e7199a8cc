namespace Hosting.Grains.Storage;

/// <summary>
/// Calls that go to the database in one transaction. Its statements run in the order insert, update, end, and none of
/// them may name a row twice; a call that this would reorder waits for the next batch.
/// </summary>
internal sealed class WriteBatch
{
    public const int MaxRows = 512;

    // The last statement that names a row. Inserted rows are not in it: nothing can come before them in the batch.
    private readonly Dictionary<string, WriteKind> last = [];
    private int rows;

    public List<WriteCall> Calls { get; } = [];

    public void Clear()
    {
        Calls.Clear();
        last.Clear();
        rows = 0;
    }

    /// <summary>Adds a call; false when the batch must go first. An empty batch takes any call.</summary>
    public bool TryAdd(WriteCall call)
    {
        if (Calls.Count > 0 && (rows + call.Rows > MaxRows || Reorders(call)))
            return false;
        Calls.Add(call);
        rows += call.Rows;
        if (call.Kind != WriteKind.Insert)
            for (var i = 0; i < call.Rows; i++)
                last[call.IdOf(i)] = call.Kind;
        return true;
    }

    private bool Reorders(WriteCall call)
    {
        if (last.Count == 0)
            return false;
        for (var i = 0; i < call.Rows; i++)
            if (last.TryGetValue(call.IdOf(i), out var kind) && kind >= call.Kind)
                return true;
        return false;
    }
}
