namespace Hosting.Apps;

/// <summary>A host name that users may reach an app by; the key is the name in lower case. One activation, so one owner.</summary>
[Alias("hosting.IHostnameGrain")]
public interface IHostnameGrain : IGrainWithStringKey
{
    /// <summary>The app that owns the name; null when nobody does.</summary>
    [Alias("GetOwner")] Task<string?> GetOwner();

    /// <summary>Takes the name for an app and answers its owner: another app when it was taken already.</summary>
    [Alias("Claim")] Task<string> Claim(string app);

    /// <summary>Gives the name up, if the app owns it.</summary>
    [Alias("Release")] Task Release(string app);
}
