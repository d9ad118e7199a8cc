namespace Hosting.Grains;

/// <summary>Writes a grain's document so that memory never holds what the database does not.</summary>
internal static class DurableState
{
    /// <summary>Writes the next state. When that fails, whether it was written is unknown: the grain goes and is loaded again.</summary>
    public static async Task Write<T>(IGrainBase grain, IPersistentState<T> document, T next)
    {
        document.State = next;
        try
        {
            await document.WriteStateAsync();
        }
        catch
        {
            grain.DeactivateOnIdle();
            throw;
        }
    }

    /// <summary>Deletes the document, with the same care.</summary>
    public static async Task Clear<T>(IGrainBase grain, IPersistentState<T> document)
    {
        try
        {
            await document.ClearStateAsync();
        }
        catch
        {
            grain.DeactivateOnIdle();
            throw;
        }
    }
}
