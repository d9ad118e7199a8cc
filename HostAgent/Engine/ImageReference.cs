namespace Hosting.HostAgent.Engine;

/// <summary>An image's name as users write it, made complete.</summary>
/// <param name="Registry">Host of its registry.</param>
/// <param name="Repository">Name in the registry.</param>
/// <param name="Tag">Tag, or a digest with its <c>sha256:</c>.</param>
internal readonly record struct ImageReference(string Registry, string Repository, string Tag)
{
    private const string DefaultRegistry = "docker.io";

    /// <summary>Adds what a short name leaves out: the registry, <c>library/</c>, <c>latest</c>.</summary>
    public static ImageReference Parse(string text)
    {
        var slash = text.IndexOf('/');
        var first = slash < 0 ? "" : text[..slash];
        var hasRegistry = first.Contains('.') || first.Contains(':') || first == "localhost";
        var rest = hasRegistry ? text[(slash + 1)..] : text;
        var (repository, tag) = SplitTag(rest);
        var registry = hasRegistry ? first : DefaultRegistry;
        if (registry == DefaultRegistry && !repository.Contains('/'))
            repository = $"library/{repository}";
        return new ImageReference(registry, repository, tag);
    }

    /// <summary>Whether the tag is a digest.</summary>
    public bool IsDigest => Tag.Contains(':');

    private static (string Repository, string Tag) SplitTag(string text)
    {
        if (text.IndexOf('@') is >= 0 and var at)
            return (text[..at].Split(':')[0], text[(at + 1)..]);
        return text.IndexOf(':') is >= 0 and var colon ? (text[..colon], text[(colon + 1)..]) : (text, "latest");
    }
}
