namespace Hosting.Grains.Storage;

/// <summary>
/// Names each grain's document by the grain's type, the name of its state and its key, which together are unique. Orleans'
/// ADO.NET storage alone tells documents apart by the name of the state and the key, and takes a key that looks like a
/// hexadecimal number for one: a region and an app called <c>eu-1</c> would share a document, and so would the apps
/// <c>cafe</c> and <c>0cafe</c>.
/// </summary>
internal sealed class GrainDocuments : PersistentStateFactory
{
    /// <summary>What the names of all documents of a grain type's state start with, without the slash before the key.</summary>
    public static string Folder(string grainType, string state = "state") => $"{grainType}/{state}";

    /// <inheritdoc/>
    protected override string GetFullStateName(IGrainContext context, IPersistentStateConfiguration cfg) =>
        $"{Folder(context.GrainId.Type.ToString()!, cfg.StateName)}/{context.GrainId.Key}";
}
