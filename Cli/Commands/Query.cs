namespace Hosting.Cli.Commands;

/// <summary>Query strings.</summary>
internal static class Query
{
    /// <summary>The path with those parameters that have a value.</summary>
    public static string On(string path, params (string Name, string? Value)[] parameters)
    {
        var given = parameters.Where(p => p.Value is not null).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}").ToArray();
        return given.Length == 0 ? path : $"{path}?{string.Join('&', given)}";
    }
}
