namespace Hosting.Grains;

/// <summary>
/// A grain's document, of which nobody sees what the database does not have: whoever reads while it is being written reads what was before.
/// </summary>
/// <param name="document">Where it is kept.</param>
internal sealed class Durable<T>(IPersistentState<T> document) where T : class, new()
{
    private T? _before;

    /// <summary>What the database has.</summary>
    public T Value => _before ?? document.State;

    /// <summary>Writes the next value. When that fails, whether it was written is unknown: the grain goes and is loaded again.</summary>
    public async Task Write(IGrainBase grain, T next)
    {
        _before ??= document.State;
        document.State = next;
        await Attempt(grain, document.WriteStateAsync);
    }

    /// <summary>Deletes the document, with the same care; what follows is an empty one.</summary>
    public async Task Clear(IGrainBase grain)
    {
        _before ??= document.State;
        await Attempt(grain, document.ClearStateAsync);
        document.State = new T();
    }

    private async Task Attempt(IGrainBase grain, Func<Task> write)
    {
        try
        {
            await write();
            _before = null;
        }
        catch
        {
            grain.DeactivateOnIdle();
            throw;
        }
    }
}
