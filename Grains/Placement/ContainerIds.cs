namespace Hosting.Grains.Placement;

/// <summary>Ids of containers: the app's name and 8 random characters (40 bits), which together are a DNS label. Unique, and no secret.</summary>
internal static class ContainerIds
{
    public static string Next(string app) => $"{app}-{Random.Shared.GetString("0123456789abcdefghjkmnpqrstvwxyz", 8)}";
}
